"""Words and colours of the page of the keys, in both languages."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from kuimen.gate.keys.backup import BackupState
from kuimen.gate.keys.rules import Due, KeyState, OrderState

Words = tuple[str, str]

# words, tone of the tag
KEY_STATES: Final[Mapping[str, tuple[Words, str]]] = MappingProxyType(
    {
        KeyState.ACTIVE.value: (("启用", "Active"), "good"),
        KeyState.RETIRED.value: (("停止加密，仍可解密", "Retired, still opens"), "soft"),
        KeyState.SUSPENDED.value: (("已停用", "Suspended"), "open"),
        KeyState.DESTROYED.value: (("已销毁", "Destroyed"), "gone"),
    }
)
DUE: Final[Mapping[str, tuple[Words, str]]] = MappingProxyType(
    {
        "": (("—", "—"), "soft"),
        Due.WELL.value: (("期内", "Within its period"), "good"),
        Due.SOON.value: (("临近到期", "Due soon"), "open"),
        Due.OVERDUE.value: (("已逾期，请轮换", "Overdue, rotate it"), "bad"),
        Due.UNKNOWN.value: (("时间不明", "Not known"), "open"),
    }
)
ORDER_STATES: Final[Mapping[str, tuple[Words, str]]] = MappingProxyType(
    {
        OrderState.OPEN.value: (("进行中", "Under way"), "good"),
        OrderState.PAUSED.value: (("已暂停", "Paused"), "open"),
        OrderState.FINISHED.value: (("已完成", "Finished"), "soft"),
    }
)
BACKUP: Final[Mapping[str, tuple[Words, str]]] = MappingProxyType(
    {
        BackupState.CONFIRMED.value: (("备份已确认", "Confirmed"), "good"),
        BackupState.AGEING.value: (("确认临近过期", "Confirmation due soon"), "open"),
        BackupState.OVERDUE.value: (("确认已过期", "Confirmed too long ago"), "bad"),
        BackupState.CHANGED.value: (("确认之后文件有变，请重新备份", "Changed since; copy it anew"), "bad"),
        BackupState.NEVER.value: (("从未确认备份", "Never confirmed"), "bad"),
        BackupState.EXPOSED.value: (("文件权限过宽，应为0600", "Open to others; make it 0600"), "bad"),
        BackupState.UNREADABLE.value: (("文件无法读取", "Unreadable"), "bad"),
        BackupState.MISSING.value: (("文件缺失", "Missing"), "bad"),
        BackupState.NOT_YET.value: (("尚无域密钥，暂无此文件", "No domain key yet, so no file"), "open"),
    }
)
ROOT_FLAWS: Final[Mapping[str, Words]] = MappingProxyType(
    {
        "keys.root_missing": (
            "根密钥文件缺失：从备份取回，勿新建",
            "The root file is missing: bring it back from backup",
        ),
        "keys.root_altered": ("根密钥文件被改动：从备份取回", "The root file was altered: bring it back from backup"),
        "keys.root_permissions": ("根密钥文件对他人开放：改为0600", "The root file is open to others: make it 0600"),
        "keys.root_version": ("根密钥文件版本不识", "The root file has a version this release cannot read"),
        "keys.root_mismatch": ("根密钥文件不是库中密钥所属的那一个", "The root file is not the one the keys are under"),
    }
)
PROVIDERS: Final[Mapping[str, Words]] = MappingProxyType(
    {"sealed_file": ("密封文件", "Sealed file"), "pkcs11": ("PKCS#11 密码模块", "PKCS#11 token")}
)
USAGES: Final[Mapping[str, Words]] = MappingProxyType(
    {
        "audit": ("审计检查点签名", "Audit checkpoints"),
        "exchange-sign": ("机构报文签名", "Messages to partners"),
        "exchange-decrypt": ("机构报文解密", "Messages from partners"),
    }
)
INDEX_NAMES: Final[Mapping[str, Words]] = MappingProxyType(
    {"disclosure_request": ("披露请求摘要", "Digests of disclosures"), "row_seal": ("行封印", "Row seals")}
)
