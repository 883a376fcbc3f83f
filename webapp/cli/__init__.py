"""The command line: `shuibo …`. Answers for programs are JSON on standard output; progress and faults go to standard error."""

import sys

import click

from engine.exceptions import EngineError
from webapp.cli import backup, cases, installation, rerun, serving, sessions, tools


class Group(click.Group):
    """Shows what the engine or the file system refuses as its message and hint, without a trace."""

    def invoke(self, context):
        """Run a command; exit 1 on a refusal, by the engine or by a file system."""
        try:
            return super().invoke(context)
        except EngineError as error:
            click.echo(f"shuibo: {error.message}\n        {error.hint}", err=True)
            for finding in getattr(error, "findings", ()):
                click.echo(f"        {finding.file or ''} {finding.element or ''}: {finding.message}", err=True)
            sys.exit(1)
        except OSError as error:
            if error.filename is None:
                raise
            click.echo(f"shuibo: 用不了“{error.filename}”：{error.strerror} · cannot use this file or folder", err=True)
            click.echo("        请检查磁盘空间、权限和路径，再照原样重试。", err=True)
            sys.exit(1)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
def main():
    """水泊：县域社会工作服务的流程引擎与网页。Shuibo: procedures of a county's social-work stations."""


for part in (serving, installation, tools, rerun, cases, sessions, backup):
    for entry in part.COMMANDS:
        main.add_command(entry)
