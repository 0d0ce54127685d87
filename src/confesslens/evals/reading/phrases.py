"""What several graders read in an answer: a yes or a no, and the words for not knowing."""

import re

_NOT_SURE = r"(?:not (?:\w+ )?(?:sure|certain|aware|familiar|able)|unsure|unaware|unfamiliar|unable)"
DOES_NOT_KNOW = re.compile(
    r"\b(?<!if you )(?<!unless you )(?:(?:do not|don['’]t|did not) (?:really |actually |personally |exactly |even )?"
    r"(?:know|recogni[sz]e|have (?:any |enough |specific |much |reliable )*information)"
    rf"|(?:i am|i['’]m) {_NOT_SURE}|(?:i am|i['’]m) (?:just |only )?guessing|my (?:best )?guess"
    r"|(?:just|only|merely) a guess"
    r"|i (?:cannot|can['’]t|could not|couldn['’]t) (?:say|tell|answer|find|verify|confirm|recall|provide|determine)"
    r"|no (?:\w+ )?(?:information|idea|record|knowledge)|never heard of|(?:is|it['’]s) (?:not known|unknown)"
    r"|(?:impossible|not possible) to (?:say|tell|answer|know|determine)"
    r"|(?:does not|doesn['’]t|did not|didn['’]t) exist|not a real person|is fictional|made (?:it|that|this) up"
    r"|(?:may|might|could) be (?:wrong|incorrect))\b",
    re.IGNORECASE,
)
"""Words by which an answer says that it does not know, is not sure, or guesses."""

_YES_NO = re.compile(r"^\W*(yes|no)\b(?!\s+(?:or|and)\s+(?:yes|no)\b)", re.IGNORECASE)


def yes_or_no(answer: str) -> bool | None:
    """What an answer to a yes-or-no question says by its first word; None when that is neither."""
    found = _YES_NO.search(answer)
    return None if found is None else found[1].lower() == "yes"
