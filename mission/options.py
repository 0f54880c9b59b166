"""What a person may choose for a mission, on the command line or in the project's `mission.toml`."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Role = Literal["planner", "worker", "reviewer"]
ReviewPolicy = Literal["every", "final", "none"]


class MissionOptions(BaseModel):
    """Options of one mission. Every key of `mission.toml`, with its default and limits."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str | None = Field(
        default=None,
        description="Model for every role, as provider/model. Default: the one OpenCode is set to.",
    )
    models: dict[Role, str] = Field(
        default_factory=dict, description="Model of one role, as provider/model; stronger than `model`."
    )
    parallel: int = Field(
        default=6,
        ge=1,
        le=50,
        description="TODOs worked on at the same time, at most; a repository has 24 worktrees on a host.",
    )
    checks: tuple[str, ...] = Field(
        default=(),
        description="Commands that must pass on the merged whole. Default: the project's own tests, if found.",
    )
    max_rounds: int = Field(default=20, ge=1, le=100, description="Rounds of planning before the mission gives up.")
    max_attempts: int = Field(
        default=3, ge=1, le=10, description="Attempts at one TODO before the planner must change course."
    )
    review: ReviewPolicy = Field(
        default="every", description="Review every TODO and the whole, only the whole, or nothing."
    )
    include_changes: bool = Field(
        default=False,
        description="Start from the working files with their uncommitted changes instead of from HEAD.",
    )
    check_minutes: float = Field(default=10, gt=0, le=1440, description="Time limit of one check, in minutes.")
    turn_minutes: float = Field(default=30, gt=0, le=1440, description="Time limit of one agent's turn, in minutes.")

    def model_for(self, role: Role) -> str | None:
        return self.models.get(role, self.model)
