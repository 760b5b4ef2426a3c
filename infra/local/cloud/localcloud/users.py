"""The users of a stack's Cognito user pool, and the tokens they sign in with."""

import secrets
from dataclasses import asdict, dataclass
from urllib.parse import urlencode

from .client import Response, send
from .deploy import aws_client


@dataclass(frozen=True)
class User:
    """A user who can sign in, and their token, which is valid for a day."""

    username: str
    password: str
    token: str

    def as_dict(self) -> dict[str, str]:
        """Returns the user as in ``stack.json``."""
        return asdict(self)


def create(endpoint: str, pool: str, client: str, name: str, group: str | None) -> User:
    """Creates a user, in a group or in none, and signs them in."""
    cognito = aws_client("cognito-idp", endpoint)
    username = f"{name}@billhook.example"
    # The end is for the pool's password policy, which wants one of each kind of character.
    password = f"{secrets.token_urlsafe(18)}.aA1"
    cognito.admin_create_user(
        UserPoolId=pool,
        Username=username,
        MessageAction="SUPPRESS",
        TemporaryPassword=password,
        UserAttributes=[{"Name": "email", "Value": username}, {"Name": "email_verified", "Value": "true"}],
    )
    cognito.admin_set_user_password(UserPoolId=pool, Username=username, Password=password, Permanent=True)
    if group:
        cognito.admin_add_user_to_group(UserPoolId=pool, Username=username, GroupName=group)
    return User(username, password, sign_in(endpoint, pool, client, username, password))


def machine_token(endpoint: str, pool: str, scope: str | None = None) -> Response:
    """Asks for a token of the pool's client for machines, as a program does; by default for all it may."""
    cognito = aws_client("cognito-idp", endpoint)
    listed = cognito.list_user_pool_clients(UserPoolId=pool, MaxResults=60)["UserPoolClients"]
    described = [
        cognito.describe_user_pool_client(UserPoolId=pool, ClientId=one["ClientId"])["UserPoolClient"]
        for one in listed
    ]
    machine = next(one for one in described if one.get("AllowedOAuthFlows") == ["client_credentials"])
    form = {
        "grant_type": "client_credentials",
        "client_id": machine["ClientId"],
        "client_secret": machine["ClientSecret"],
        **({"scope": scope} if scope else {}),
    }
    return send(
        "POST",
        f"{endpoint}/oauth2/token",
        urlencode(form).encode(),
        {"Content-Type": "application/x-www-form-urlencoded"},
    )


def sign_in(endpoint: str, pool: str, client: str, username: str, password: str) -> str:
    """Returns a new ID token: the one that carries the e-mail and the groups."""
    response = aws_client("cognito-idp", endpoint).admin_initiate_auth(
        UserPoolId=pool,
        ClientId=client,
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": username, "PASSWORD": password},
    )
    token: str = response["AuthenticationResult"]["IdToken"]
    return token
