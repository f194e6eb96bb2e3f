"""Stores over SFTP: any SSH server, without a program of ours on it."""
