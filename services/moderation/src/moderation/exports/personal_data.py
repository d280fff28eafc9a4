"""What exports hold of people: files of messages, which nobody changes."""

from datetime import timedelta
from typing import Final

from huiqun.files.exports.store import EXPORT_FILE_PARTS, EXPORTS
from huiqun.privacy.erasure.holdings import unsearched_holding

EXPORT_HOLDINGS: Final = (
    unsearched_holding("消息导出文件", (EXPORTS, EXPORT_FILE_PARTS), "文件已按哈希封存，不可修改", timedelta(days=7)),
)
