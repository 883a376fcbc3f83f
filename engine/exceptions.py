"""One tree of errors. A leaf's docstring is its message in Chinese, with {facts} filled in; its second paragraph says what to do next.

The web layer translates the docstring (it is a message id of the catalogue), maps the class to a status in `webapp/errors.py`
and shows `code` to programs.
"""

import inspect
import math
import re


class EngineError(Exception):
    """操作没有完成。

    请重试；如果仍然失败，请联系管理员。
    """

    def __init__(self, **facts):
        """Keep the `facts` that fill the message; they must be printable and free of personal data."""
        self.facts = facts
        super().__init__(self.message)

    @classmethod
    def template(cls) -> tuple[str, str]:
        """The message and the hint (may be empty), unformatted: what the catalogue translates."""
        parts = inspect.cleandoc(cls.__doc__).split("\n\n", 1)
        return parts[0], parts[1] if len(parts) > 1 else ""

    @property
    def code(self) -> str:
        """Stable name for programs: `TaskTaken` is `task_taken`."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", type(self).__name__).lower()

    @property
    def message(self) -> str:
        """What happened and why, in Chinese."""
        return self._fill(self.template()[0])

    @property
    def hint(self) -> str:
        """What to do next, in Chinese."""
        return self._fill(self.template()[1])

    def _fill(self, template: str) -> str:
        try:
            return template.format(**self.facts)
        except (KeyError, IndexError):
            return template


# --- who asks -------------------------------------------------------------------------------------------------------


class NotSignedIn(EngineError):
    """您还没有登录，或者登录已经过期。

    请重新登录。
    """


class WrongCredentials(EngineError):
    """用户名或密码不正确。

    请检查大小写后重试；忘记密码请联系站长或管理员。
    """


class TooManyAttempts(EngineError):
    """登录尝试过多，已暂停登录，还要等 {minutes} 分钟。

    请到时再试；忘记密码请联系站长或管理员。
    """

    def __init__(self, seconds: float):
        """`seconds` until the next attempt counts."""
        super().__init__(seconds=math.ceil(seconds), minutes=math.ceil(seconds / 60))


class Forbidden(EngineError):
    """您没有做这件事的权限：{permission}。

    如果工作需要，请联系站长或县中心管理员。
    """


class RegulationRefused(EngineError):
    """制度不允许这样做：{reasons}

    请按提示补齐条件后再试。
    """

    def __init__(self, verdicts, *, evidence: dict | None = None, **facts):
        """`verdicts`: the blocking `engine.regulations.Verdict`s, each with rule id, message and source.

        `evidence`: what the tables were told, as `facts`, `sealed` and `key` of the event that tells of the refusal.
        """
        self.verdicts = list(verdicts)
        self.evidence = evidence
        super().__init__(reasons=";".join(v.message for v in self.verdicts), **facts)


class OwnWaiver(Forbidden):
    """豁免不能由申请人自己或受益的人决定。

    请由另一位有权的同事决定；站长的申请由县中心督导决定。
    """


# --- what was asked for -------------------------------------------------------------------------------------------------


class NotFound(EngineError):
    """没有找到{what}“{key}”，或者您无权查看。

    请检查地址或编号。
    """


class InvalidRequest(EngineError):
    """请求里的“{field}”不正确：{reason}

    请更正后重试。
    """


class InvalidForm(EngineError):
    """表单有 {count} 处需要更正。

    请按各栏目下的提示更正后再提交。
    """

    def __init__(self, errors: dict[str, str], **facts):
        """`errors`: path of the field (`goals[0].text`) → message in Chinese."""
        self.errors = dict(errors)
        super().__init__(count=len(self.errors), **facts)


class IdempotencyMismatch(EngineError):
    """这一页已经提交过一次，这次的内容却不一样：没有再次提交。

    请打开最新的页面查看。程序请为每次新的操作换一个 Idempotency-Key。
    """


class StaleVersion(EngineError):
    """这条记录刚刚被别人改过。

    请刷新后重试。
    """


class UnitClosed(EngineError):
    """{unit} 在 {date} 不存在或已撤并。

    请选择现行的单位。
    """


# --- tasks and instances ------------------------------------------------------------------------------------------------


class TaskTaken(EngineError):
    """这项任务已由{holder}领取。

    请领取其他任务，或请站长转派。
    """


class TaskNotYours(EngineError):
    """这项任务不在您名下，请先领取再办理。

    打开任务页，点“领取”。
    """


class NotOffered(EngineError):
    """您不能办理这项任务：{reason}。

    请领取“待领取”里的任务，或请站长转派。
    """


class ReceiverUnfit(NotOffered):
    """不能转派给这位同事：{reason}。

    请从名单里另选一位。
    """


class TaskClosed(EngineError):
    """这项任务{status}，不能再改。

    请在“我的任务”里查看当前任务。
    """


class InstanceClosed(EngineError):
    """这个个案{status}，不能再改。

    需要继续服务时，请新开一个个案。
    """


class OutingClosed(EngineError):
    """这次外出现在是“{status}”，不能这样改。

    请刷新后查看当前状态。
    """


class AlreadyOut(EngineError):
    """还有一次外出没有报告返回。

    请先点“我已安全返回”，再报告新的外出。
    """


class EntryEnded(EngineError):
    """这条登记已经注销，不能再改。

    需要时请重新登记一条。
    """


class RegisterFileInvalid(EngineError):
    """文件有 {count} 处不正确，一条也没有导入。

    请按行号更正后重新导入。
    """

    def __init__(self, faults):
        """`faults`: `engine.registers.csv_files.Fault`s, each with line, column and reason."""
        self.faults = list(faults)
        super().__init__(count=len(self.faults))


class AlertClosed(EngineError):
    """这一事项已有人处理。

    请刷新后查看当前状态。
    """


class NotRefused(EngineError):
    """在这个个案里，没有人因为规则“{rule}”被制度拒绝过，没有什么可以豁免。

    请先照常办理；被制度拒绝时，从那一页申请豁免。
    """


class NotWaivable(EngineError):
    """规则“{rule}”不能豁免：{reason}。

    请按提示补齐条件后再办。
    """


class WaiverKnown(EngineError):
    """这件事的豁免已经申请过，现在是“{status}”，没有重复申请。

    请在“豁免”里查看。
    """


class WaiverClosed(EngineError):
    """这份豁免现在是“{status}”，不能这样改。

    请刷新后查看当前状态。
    """


class NoIncident(EngineError):
    """这个个案没有等待处理的故障。

    请刷新后查看当前状态。
    """


class NoSuchToken(EngineError):
    """个案里没有编号为 {token} 的待办环节，它可能已经办完或撤销。

    请刷新后查看当前状态。
    """


class NoSuchTimer(EngineError):
    """个案里没有编号为 {timer} 的定时器，它可能已经触发或撤销。

    请刷新后查看当前状态。
    """


class NoSuchSubscription(EngineError):
    """个案已经不再等待编号为 {subscription} 的消息或信号。

    请刷新后查看当前状态。
    """


class StateUnreadable(EngineError):
    """个案的运行状态无法读取：{reason}

    请确认个案与流程版本相符；从备份恢复时请恢复同一时刻的全部数据。
    """


class CalledByCase(EngineError):
    """这个个案由另一个个案调用，那个个案还在等它的结果，不能单独终止。

    请终止上级个案，或在上级个案里把调用它的环节手工推进。
    """


class MessageKnown(EngineError):
    """同一名称和关联键、同一编号的消息已经收到，还在有效时间内。

    不必重发；确实是另一条消息时请换一个编号。
    """


class JobNotYours(EngineError):
    """这项作业现在不归这个程序，可能是租期已过，已交给别的程序。

    请重新领取作业；这次的结果没有保存。
    """


# --- procedures ---------------------------------------------------------------------------------------------------------


class DeployRefused(EngineError):
    """流程没有部署：发现 {count} 个问题。{first}

    请按列出的元素和原因修改后重新部署。
    """

    def __init__(self, findings, **facts):
        """`findings`: the `engine.findings.Finding`s with severity error."""
        self.findings = list(findings)
        super().__init__(count=len(self.findings), first=self.findings[0].message if self.findings else "", **facts)


class NotPublished(EngineError):
    """流程“{definition}”还没有发布的版本。

    请先发布一个版本。
    """


class StartedByEvent(EngineError):
    """流程“{definition}”由消息、信号或定时开始，不能由人发起。

    请等它自己开始；要由人发起，请在图里加一个普通的开始事件。
    """


class VersionClosed(EngineError):
    """流程“{definition}”的第 {number} 版已是“{status}”状态。

    已发布的版本不可更改；请部署新版本。
    """


class BasedOnOlder(EngineError):
    """制度“{definition}”的第 {number} 版是照第 {based_on} 版改的，而 {who} 在 {at} 发布了第 {current} 版：发布会把那次改动盖掉。

    请核对两版的差别，把那次改动并进来重新部署；确实要照样发布的，请确认是对着第 {current} 版发布。
    """


class RerunEnded(EngineError):
    """这次重算已是“{status}”状态。

    请刷新后查看结果；需要的话可以重新算一次。
    """


class DecisionFailed(EngineError):
    """决策“{decision}”没有得出结果：{reason}

    请检查决策表和输入的数据，或请县中心修改决策表。
    """


class CountyFileInvalid(EngineError):
    """县情文件 {file} 有 {count} 处不正确：{problems}

    文件格式见 webapp/seeds/liangshan.yaml 开头的说明。
    """

    def __init__(self, file: str, faults: list[str]):
        """`faults`: each with its place in the file; the message shows the first ten."""
        self.faults = list(faults)
        super().__init__(file=file, count=len(faults), problems=";".join(faults[:10]))


class CalendarInvalid(EngineError):
    """日历文件第 {line} 行不正确：{reason}

    请按三列更正：日期、类型（holiday 或 workday）、名称。
    """


# --- the database -------------------------------------------------------------------------------------------------------


class DatabaseUnavailable(EngineError):
    """数据库暂时不能使用，这次操作可能没有保存。

    请稍后刷新页面，看清状态后再重试。
    """


class StorageFull(DatabaseUnavailable):
    """存放数据的磁盘已满或写不进去，这次操作没有保存。

    请告诉管理员；腾出空间后照原样重试即可。
    """


class DatabaseBusy(DatabaseUnavailable):
    """数据库正忙，没有等到轮到这次操作，没有保存。

    请稍后照原样重试。
    """


# --- keys ---------------------------------------------------------------------------------------------------------------


class Erased(EngineError):
    """这部分内容的密钥已按规定销毁，无法再读取。

    历史链仍然完整，可以验证。
    """


class MasterKeyMissing(EngineError):
    """没有找到主密钥：{path}

    请设置 SHUIBO_MASTER_KEY_FILE 指向主密钥文件，或从备份中恢复它。
    """


class SealBroken(EngineError):
    """密封内容无法打开：内容被改动过，或者主密钥不对。

    请运行 shuibo audit verify 查明位置。
    """


class WrongMasterKey(EngineError):
    """“{path}”是用另一把主密钥做的备份，现在的主密钥打不开它。

    请让 SHUIBO_MASTER_KEY_FILE 指向备份时所用的主密钥。
    """


# --- backups ------------------------------------------------------------------------------------------------------------


class BackupProblem(EngineError):
    """备份或恢复没有完成。"""


class NothingToBackUp(BackupProblem):
    """数据库还没有建表，没有内容可以备份。

    请检查 SHUIBO_DATABASE_URL 是否指向正在使用的数据库。
    """


class BackupExists(BackupProblem):
    """“{path}”已经存在，没有覆盖它。

    请换一个文件夹，或者过一秒再试。
    """


class BackupRunning(BackupProblem):
    """另一次备份正在写入“{path}”。

    请等它结束后再试。
    """


class BackupNotWritten(BackupProblem):
    """备份没有写成，{reason}：{path}

    没有写完的文件已经删除，原有的备份不受影响。请腾出空间或换一个地方后重试。
    """


class TableUnreadable(BackupProblem):
    """表“{table}”里有读不懂的内容，没有备份。

    请运行 shuibo audit verify 查明位置。
    """


class BackupNotFound(BackupProblem):
    """没有找到备份文件：{path}

    请给出备份文件或它所在的文件夹；密钥文件另用 --keys 指明。
    """


class BackupBroken(BackupProblem):
    """“{path}”不能使用：{reason}。

    数据库没有改动。请换用另一份备份。
    """


class BackupForeign(BackupProblem):
    """“{path}”是“{county}”的备份，这里是“{here}”。

    请检查 SHUIBO_COUNTY，或者换用本县的备份。
    """


class BackupNewer(BackupProblem):
    """“{path}”是更新的版本（{revision}）做的备份，这个版本不认识。

    请先安装做备份时的版本或更新的版本。
    """


class KeysTooOld(BackupProblem):
    """密钥文件“{path}”缺少这份数据所用的 {count} 把密钥：它比数据旧，或者属于另一个系统。

    请用 --keys 指明最新的密钥文件。
    """


class DatabaseNotEmpty(BackupProblem):
    """数据库里已有内容，没有恢复。

    请恢复到空的数据库；确要取代现有内容时加 --replace，现有内容会移到一边，不会丢失。
    """


class DatabaseInUse(BackupProblem):
    """数据库正在使用，没有恢复。

    请先停止网页和后台的全部进程。
    """


class RestoredFaulty(BackupProblem):
    """备份的内容没有通过核验，没有恢复。至少有 {count} 处问题，例如：{first}

    请换用另一份备份；确要恢复这一份，加 --accept-faults。
    """
