"""What can go wrong before the model says a word.

ScriptedModelError
├─ ScenarioError           a scenario cannot be read: file, line, what is wrong
├─ MissingScenarioError    a mission asks, and no scenario is there for it
└─ ChatRequestError        the body is not a chat request
"""


class ScriptedModelError(Exception):
    """Root of all errors of the scripted model; the message is meant for a person."""


class ScenarioError(ScriptedModelError):
    """A scenario cannot be read; one line a problem, each with file and line."""


class MissingScenarioError(ScriptedModelError):
    """There is no scenario for this mission, and no default one."""


class ChatRequestError(ScriptedModelError):
    """The body of the request is not what chat completions take."""
