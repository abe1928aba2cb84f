"""Under which names the stack that owns the user pool makes it known (SSM parameters), for those who read them."""

AUTH_PARAMETERS = ("auth",)
POOL_PARAMETER, CLIENT_PARAMETER, AUTHORIZER_PARAMETER = "user-pool-id", "client-id", "authorizer-id"
