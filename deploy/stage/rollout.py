"""Rollout of one stack to its declaration: planned, then run, and taken back if it is unhealthy."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from chassis.declare.service import service
from deploy.embedded.emulator_patches import fill_gaps
from deploy.errors import RefusedError, UnhealthyError
from deploy.stage.artifacts import upload
from deploy.stage.change_set import ChangeSet, Deployed, StackEventListener
from deploy.stage.environment import DeploymentEnvironment
from deploy.stage.health import check_health
from deploy.stage.name_conflicts import refuse_taken_names
from deploy.stage.release_history import Release, ReleaseHistory, stamp
from deploy.stage.stacks import DONE, NEVER_LIVED
from deploy.stage.stage import DeploymentPlan, parameters_of, table_in_use, tags_of
from deploy.template import Template, render, service_template
from deploy.template.shared import STACK
from deploy.template.table import TABLE, TABLE_PARAMETER


@dataclass(frozen=True)
class Step:
    """A planned change of one stack. `before` is its present state: None if it does not exist."""

    name: str
    planned: ChangeSet
    template: Template
    body: str
    parameters: dict[str, str]
    before: Deployed | None


class Rollout:
    """Deploys the stacks of `plan` to `environment`. `recreate` permits deleting what a failed first creation left,
    `adopt` taking over the tables that a destroyed stage kept."""

    def __init__(
        self,
        environment: DeploymentEnvironment,
        plan: DeploymentPlan,
        packages: Mapping[str, Path],
        *,
        recreate: bool = False,
        adopt: bool = False,
    ) -> None:
        self._environment, self._plan, self._packages = environment, plan, packages
        self._recreate, self._adopt = recreate, adopt
        self._stacks, self._names = environment.stacks, environment.target.names

    def platform(self) -> Step | None:
        """The change of the platform's stack; None if there is nothing to change. Raises DeployError."""
        return self._step(STACK, self._plan.templates[STACK], {}, None)

    def service(self, name: str, shared: Mapping[str, str]) -> Step | None:
        """The change of a service's stack; its package is uploaded. `shared` are the platform's outputs. Raises
        DeployError; nothing is changed."""
        self._check_state(name)
        bucket, key, template = shared["ArtifactBucket"], None, self._plan.templates[name]
        if name in self._packages:
            key = upload(self._environment.aws, bucket, name, self._packages[name])
        if self._environment.target.aliases:
            template = service_template(service(name), self._environment.target, key or "")
        parameters = parameters_of(self._environment.aws, self._plan, name, shared, key)
        return self._step(name, template, parameters, bucket)

    def run(self, step: Step, shared: Mapping[str, str], listener: StackEventListener) -> int:
        """Execute the change and call the functions. Returns how many answered.

        Raises StackError if CloudFormation undid it, or UnhealthyError after the old version was brought back.
        """
        self._stacks.execute(step.planned, listener=listener)
        if self._environment.target.local:
            fill_gaps(self._environment.aws, step.template)
        try:
            answered = check_health(self._environment.aws, step.template)
        except UnhealthyError as error:
            before, stack = step.before, step.planned.stack
            if before is None:
                self._stacks.delete(stack)
                raise UnhealthyError(
                    f"{step.name} is unhealthy: {error}; its first deployment was taken back"
                ) from error
            self._stacks.deploy(
                stack, before.body, parameters=before.parameters, bucket=shared.get("ArtifactBucket"), tags=before.tags
            )
            version = version_of(before.parameters)
            raise UnhealthyError(f"{step.name} is unhealthy: {error}; version {version} is back") from error
        if step.name != STACK:
            at = stamp(datetime.now(UTC))
            release = Release(step.name, version_of(step.parameters), at, step.body, step.parameters)
            ReleaseHistory(self._environment.aws, shared["ArtifactBucket"]).add(release)
        return answered

    def discard(self, step: Step) -> None:
        """Delete a change set that is not to be run. Raises StackError."""
        self._stacks.discard(step.planned)

    def earlier(self, name: str, shared: Mapping[str, str]) -> Step | None:
        """The change back to the release before the present one. Raises RefusedError if there is none."""
        now = self._stacks.current(self._names.stack(name))
        if now is None:
            raise RefusedError(f"{name} is not deployed in stage {self._environment.target.stage}")
        release = ReleaseHistory(self._environment.aws, shared["ArtifactBucket"]).before(name, now.body, now.parameters)
        template: Template = json.loads(release.body)
        parameters = dict(release.parameters)
        if TABLE_PARAMETER in parameters:  # code goes back, data does not
            parameters[TABLE_PARAMETER] = table_in_use(self._environment.aws, self._names, name)
        return self._step(name, template, parameters, shared["ArtifactBucket"], release.body)

    def _step(
        self, name: str, template: Template, parameters: dict[str, str], bucket: str | None, body: str | None = None
    ) -> Step | None:
        self._check_state(name)
        stack, text = self._names.stack(name), body or render(template)
        before = self._stacks.current(stack)
        planned = self._stacks.plan(
            stack,
            text,
            parameters=parameters,
            bucket=bucket,
            tags=tags_of(self._environment.target, name),
            adopt=self._adopt,
        )
        if planned is None:
            return None
        try:
            refuse_taken_names(self._environment.aws, self._stacks, planned, template)
            refuse_change_of_unused_table(planned, template, parameters)
        except RefusedError:
            self._stacks.discard(planned)
            raise
        return Step(name, planned, template, text, parameters, before)

    def _check_state(self, name: str) -> None:
        stack = self._names.stack(name)
        now = self._stacks.current(stack)
        if now and now.status.endswith("_IN_PROGRESS") and now.status not in DONE:
            raise RefusedError(
                f"stack {stack} is {now.status}: somebody else changes it now. Wait until that ends, then deploy again"
            )
        if now and now.status in NEVER_LIVED and not self._recreate:
            raise RefusedError(
                f"stack {stack} is {now.status}: its first creation failed. Say RECREATE=1 to delete what is left "
                "of it and create it again"
            )


def refuse_change_of_unused_table(planned: ChangeSet, template: Template, parameters: Mapping[str, str]) -> None:
    """Raises RefusedError if the change is to the stack's own table while, since a restore, another one is used: that
    one would miss the change."""
    own = template["Resources"].get(TABLE, {}).get("Properties", {}).get("TableName")
    used = parameters.get(TABLE_PARAMETER, own)
    if used != own and any(change["LogicalResourceId"] == TABLE for change in planned.changes):
        raise RefusedError(
            f"this changes the table {own}, but {planned.stack} uses {used} since a restore; bring the data back to "
            f"{own} first (docs/deploying.md)"
        )


def version_of(parameters: Mapping[str, str]) -> str:
    """The running version: the beginning of its package's hash; "none" for a stack without code."""
    return parameters.get("CodeKey", "").rpartition("/")[2][:12] or "none"
