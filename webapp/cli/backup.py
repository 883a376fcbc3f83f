"""Backup and restore. What came of it is JSON on standard output, progress and advice go to standard error."""

import json
from pathlib import Path

import click

from webapp.cli.shared import now, open_system, progress, say

FOLDER = click.Path(file_okay=False, path_type=Path)
ANY = click.Path(exists=True, path_type=Path)


@click.command()
@click.argument("to", type=FOLDER)
@click.option("--keys", type=FOLDER, help="密钥文件的文件夹，应在别处；缺省为 TO/keys · folder of the keys file, better elsewhere")
def backup(to: Path, keys: Path | None):
    """备份到文件夹 TO（网页和后台可以照常运行）· back up into the folder TO, while others work.

    数据文件每次新写一份；密钥文件只有最新的一份，请与数据分开存放。主密钥不在其中。
    """
    from engine.backup import save

    answer = save(open_system(), to, keys, now=now(), progress=progress)
    click.echo(json.dumps(answer, ensure_ascii=False, indent=2))
    if keys is None:
        say("  请把密钥文件与数据文件分开存放 · keep the keys file apart from the data (--keys)")
    if answer["kept"]:
        say(f"  {answer['kept']} 把密钥只在原来的密钥文件里有，已保留 · keys that only the former keys file had were kept")
    if answer["behind"]:
        say(
            f"  {answer['behind']} 条历史比上次备份时还短：恢复过旧备份，或历史被删除；请运行 shuibo audit verify"
            " · streams are shorter than at the last backup"
        )


@click.command()
@click.argument("source", metavar="FROM", type=ANY)
@click.option("--keys", type=ANY, help="最新的密钥文件或其文件夹；缺省为数据旁的 keys · the newest keys file or its folder")
@click.option("--since", type=ANY, help="知道历史曾到哪里的文件，用来算出缺什么；缺省为密钥文件 · a file that knows later heads")
@click.option("--replace", is_flag=True, help="取代现有内容（移到一边）· what is there now is set aside")
@click.option("--accept-faults", is_flag=True, help="核验有问题也恢复 · even if it does not verify")
@click.option("--check", is_flag=True, help="只核对文件，不动数据库 · read and compare the files only")
def restore(source: Path, keys: Path | None, since: Path | None, replace: bool, accept_faults: bool, check: bool):
    """从备份文件或文件夹 FROM 恢复（先停止网页和后台）· restore, with everybody stopped.

    恢复到空的数据库，SQLite 或 PostgreSQL 均可，与备份来自哪一种无关。备份之后清除过的人再次清除；恢复后先核验再生效。
    """
    from engine.backup import restore as bring_back

    system = open_system()
    answer = bring_back(
        system, source, keys, since, now=now(), replace=replace, accept_faults=accept_faults, check_only=check, progress=progress
    )
    system.database.dispose()
    click.echo(json.dumps(answer, ensure_ascii=False, indent=2))
    _tell(answer)


def _tell(answer: dict) -> None:
    missing = answer["missing"]
    if missing["streams"]:
        lost = f"{missing['streams']} 条历史的 {missing['events']} 个事件，自 {missing['from']} 至 {missing['to']}"
        say(f"  缺少 · missing: {lost}")
    else:
        say("  密钥文件所知的历史全部在内 · nothing is missing that the keys file knows of")
    if missing["differing"]:
        say(f"  {len(missing['differing'])} 条历史与所知的不同 · streams differ from what is known")
    for fault in answer.get("faults", ()):
        say(f"  {fault}")
    if answer.get("erased"):
        say(f"  再次清除 · erased again: {len(answer['erased'])}")
    if answer.get("erasures_of_replaced_unknown"):
        say("  原数据库读不出，其中新近的清除无从得知 · the replaced database could not be read; its last erasures are unknown")
    if answer.get("aside"):
        say(f"  原有内容在 · what was there is kept in: {answer['aside']}")


COMMANDS = [backup, restore]
