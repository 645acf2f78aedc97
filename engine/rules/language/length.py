"""Where the fault lies in a file that Python itself cannot follow: at its longest statement, in its rule."""

import io
import re
import tokenize

_RULE = re.compile(r"""^@\w+\(\s*["']([a-z][a-z0-9_]*)["']""", re.MULTILINE)


def longest_statement(text: str) -> int:
    """Return the line on which the statement of the most words begins, 1 where the text has no words."""
    longest, line, words, begun = 0, 1, 0, 1
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.NEWLINE:
                words = 0
            elif token.type not in (tokenize.NL, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT):
                begun = token.start[0] if words == 0 else begun
                words += 1
                if words > longest:
                    longest, line = words, begun
    except (tokenize.TokenError, SyntaxError):  # what was read up to there says enough
        pass
    return line


def rule_at(text: str, line: int) -> str:
    """Return the name of the rule that a line belongs to, "" where none has begun."""
    above = "".join(text.splitlines(keepends=True)[:line])
    names = _RULE.findall(above)
    return names[-1] if names else ""
