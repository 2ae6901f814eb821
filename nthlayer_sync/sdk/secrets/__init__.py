"""Secrets: settings name where one is, and it is looked up at the moment of the request that needs it.

reference  how settings name a secret
secrets    looks secrets up, and gives the headers that let a request in
places     environment and files
vault      HashiCorp Vault and OpenBao
aws        AWS Secrets Manager
"""

from nthlayer_sync.sdk.secrets.reference import SecretRef
from nthlayer_sync.sdk.secrets.secrets import Authorization, Secrets

__all__ = ["Authorization", "SecretRef", "Secrets"]
