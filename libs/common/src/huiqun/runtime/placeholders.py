"""What systems write into a field when they do not know the value: it names nobody, however often it comes."""

import re
import unicodedata
from itertools import pairwise
from typing import Final

_NOTHING: Final = """
unknown unknow null nul nil none na nan nothing undefined undef empty blank void missing absent unset unavailable
unspecified unassigned unidentified invalid default dummy placeholder sample example test testing todo tbd
anonymous anon guest visitor noname nobody no not set
未知 不知 不详 不明 无 没有 暂无 空 空值 缺失 未填 未填写 未设置 未绑定 未授权 未登录 未登记 待定 待补 待填 默认 测试
匿名 游客 访客 路人 微信用户 企业微信用户
"""
_KINDS: Final = """
id ids user userid username member memberid customer client person name value string object field
openid unionid external externaluserid wechat wx 用户 客户 会员 成员 微信 昵称 姓名
"""
_SAYS_NOTHING: Final = frozenset(_NOTHING.split())
# Says as little, but only beside one of the words above: "unknown user", "no-unionid", 未知用户.
_KIND_AT_END: Final = re.compile(f"(?:{'|'.join(_KINDS.split())})+$")
_TOKEN: Final = re.compile(r"[^\W\d_]+|\d+")
_DIGITS: Final = "01234567890", "09876543210"
_LEAST_LENGTH: Final = 4
_LEAST_SIGNS: Final = 2


def is_placeholder(text: str) -> bool:
    """Whether a text says that something is not known, as "unknown", "N/A", "--", "0000" and 未知 do."""
    tokens = _tokens(text)
    if "".join(tokens) in _SAYS_NOTHING:  # "n/a", "n.u.l.l"
        return True
    said = [token for token in map(_without_kind, tokens) if token.strip("0")]
    # "user-0" names the first user, "0" nobody.
    return all(token in _SAYS_NOTHING for token in said) and (bool(said) or not any(map(_kind_of, tokens)))


def is_distinctive(text: str) -> bool:
    """Whether a text can tell one of many from the others: no placeholder, not too short, not 1111 or 12345."""
    tokens = _tokens(text)
    signs = "".join(tokens)
    steps = {ord(after) - ord(before) for before, after in pairwise(signs)}
    is_counted = steps in ({1}, {-1}) or any(signs in digits for digits in _DIGITS)
    is_plain = len(text) < _LEAST_LENGTH or len(set(signs)) < _LEAST_SIGNS or is_counted
    return not is_plain and any(map(_without_kind, tokens)) and not is_placeholder(text)


def _tokens(text: str) -> list[str]:
    """The words and numbers in a text, however wide, large or punctuated they are written."""
    return _TOKEN.findall(unicodedata.normalize("NFKC", text).casefold())


def _without_kind(token: str) -> str:
    return token if token in _SAYS_NOTHING else _KIND_AT_END.sub("", token)


def _kind_of(token: str) -> bool:
    return token not in _SAYS_NOTHING and _KIND_AT_END.search(token) is not None
