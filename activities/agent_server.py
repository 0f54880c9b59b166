"""The OpenCode our agents live in: our roles, the user's providers and credentials, a database of its own."""

from pathlib import Path

from activities.agent_sessions import OpenCode
from activities.roles import ROLE_NAMES, load_role
from adapters.opencode.config import AgentConfig, server_config
from adapters.opencode.server import ExternalOpenCode, OpenCodeServer
from runtime.settings import Settings
