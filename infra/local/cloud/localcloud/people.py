"""One admin and one viewer in the stack's Cognito pool, and the tokens they sign in with."""

import secrets
from dataclasses import asdict, dataclass

from .deploy import aws


@dataclass(frozen=True)
class Person:
    """Who can sign in, and the token (valid for a day) that they have from it."""

    username: str
    password: str
    token: str

    def as_dict(self) -> dict[str, str]:
        """As it stands in ``stack.json``."""
        return asdict(self)


def make(endpoint: str, pool: str, client: str, name: str, group: str | None) -> Person:
    """Makes a person, in a group or in none, and signs them in."""
    cognito = aws("cognito-idp", endpoint)
    username = f"{name}@billhook.example"
    # The end is for the pool's rules, which want one of each kind of character.
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
    return Person(username, password, sign_in(endpoint, pool, client, username, password))


def sign_in(endpoint: str, pool: str, client: str, username: str, password: str) -> str:
    """A fresh ID token: the one that carries the e-mail and the groups."""
    answer = aws("cognito-idp", endpoint).admin_initiate_auth(
        UserPoolId=pool,
        ClientId=client,
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": username, "PASSWORD": password},
    )
    return answer["AuthenticationResult"]["IdToken"]
