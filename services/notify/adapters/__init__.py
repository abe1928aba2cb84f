"""Adapters of the ports: the mail service, and the templates of the e-mails."""
