"""Stores over WebDAV: Nextcloud, a NAS, any web server that speaks it."""
