"""Proves that each service has exactly the permissions that it needs.

`python -m verification.privileges` plays an organization's first day on the embedded AWS with IAM enforced, records the
calls of every process, and compares them with what its policies grant. It takes about a minute and prints every
grant with the number of its uses, or with the reason why it is needed although unused; it fails for a grant without
use and reason, and for a use without a grant. The tests beside it check the policies of the templates themselves.
"""
