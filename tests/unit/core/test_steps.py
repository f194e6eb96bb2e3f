"""The durable steps of normal operation."""

from firnline.core.steps import no_steps


def test_a_step_of_normal_operation_does_nothing():
    """Whatever its name, the program goes on."""
    no_steps("rename")
    no_steps("")
