"""A local AWS for Billhook, without Docker: the real template, built and deployed by SAM.

Layout, from the outside in:

- ``__main__``     the commands ``up``, ``down`` and ``demo``
- ``demo``         what `make demo` shows, written against the HTTP API only
- ``stack``        one stack: how it comes up and goes down, and its description in ``stack.json``
- ``build``        ``sam build`` with Cargo's profile ``local``
- ``deploy``       ``sam deploy`` into MiniStack, and the stack's outputs
- ``users``        the admin and the viewer in the stack's Cognito user pool
- ``servers``      MiniStack and the simulated Stripe: how each is started, and when it is ready
- ``processes``    starts background processes, and later ends exactly those
- ``client``       JSON over HTTP
- ``venv``         makes the virtual environments under ``.local/``
- ``command_line`` turns errors and Ctrl-C into one line
- ``signals``      Ctrl-C and the like, which never cut a clean-up short
- ``progress``     how far a long step is, on a terminal or in a log
- ``logs``         the ends of logs, and what they say of the network
- ``settings``     paths, ports and the environment of everything that is started

Three rules hold everywhere: only the loopback address is used; the AWS credentials are made up here, the
user's are never read; every call to something outside this process has a time limit.
"""
