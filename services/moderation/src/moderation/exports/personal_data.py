"""What exports hold of people: files of messages, which nobody changes."""

from datetime import timedelta

from huiqun.files.exports.store import EXPORTS, PARTS
from huiqun.privacy.erasure.holdings import kept_anyway

HOLDINGS = (kept_anyway("消息导出文件", (EXPORTS, PARTS), "文件已按哈希封存，不可修改", timedelta(days=7)),)
