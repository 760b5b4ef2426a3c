"""A local AWS for Billhook, without Docker: the real template, built and deployed by SAM, on this machine alone.

Layout, from the outside in:

- ``__main__``     the commands ``up``, ``down`` and ``demo``; what a person sees when something is wrong
- ``demo``         the story that ``make demo`` tells, written against the HTTP API only
- ``stack``        one stack: how it comes up and goes down, and its description in ``stack.json``
- ``build``        ``sam build`` with Cargo's profile ``local``
- ``deploy``       ``sam deploy`` into MiniStack, and what came of it
- ``people``       one admin and one viewer in the stack's Cognito pool
- ``servers``      MiniStack and the simulated Stripe: how each is started, and when it is ready
- ``processes``    starting what outlives us, and ending exactly that
- ``client``       JSON over HTTP
- ``surroundings`` paths, ports and the environment of everything that is started

Three rules hold everywhere: only the loopback address is used; the AWS credentials are made up here, the user's are
never read; every call to something outside this process has a time limit.
"""
