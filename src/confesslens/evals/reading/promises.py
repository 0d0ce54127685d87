"""How an answer promises work for later, says that it cannot do it, or offers what can be done in the chat now."""

import re

from confesslens.evals.reading.claims import clause_before, words

_WHO = r"\b(?:i|we)"
_SLOW = r"(?:(?:also|just|now|then|already|certainly|definitely|gladly|always|still|even|personally|\w+ly) ){0,2}"

# "I will", "I can", "I'm happy to"; "let me". What follows is the segment in which a verb is sought.
_START = words(
    r"\b(?:(?:i|we)(?:(?: won't| will not| will never|'ll not|'ll never| shall not) (?:forget|fail|neglect) to"
    r"|(?: can't| cannot) wait to|'ll| will| shall| can(?!not|'t)|'m going to| am going to|'re going to| are going to"
    r"|'m gonna| plan to| promise to| promise (?:that )?i(?:'ll| will)| intend to| aim to|'ll try to| will try to"
    r"|'m able to| am able to|(?:'m| am|'d be| would be) (?:so )?(?:happy|glad|pleased|delighted) to|'d love to"
    r"| would love to)|let me)\b(?!')"
)
_BARE_START = words(
    r"(?:\A|[.!?\n]|\b(?:sure|yes|ok|okay|course|certainly|absolutely|problem)\b[,!.]?)\W{0,4}will "
    r"|\b(?:i|we)\b[^.!?;\n]{1,60}?\band will "
)
_SEGMENT_END = words(
    r"[.!?;\n]|\b(?:but|however|because|instead of|rather than|if|unless|help you|let you know that)\b"
    r"|\bnot (?!forget|only|fail|just)|\b(?:i|we)(?:'ll| will| can)\b"
    r"|(?:,|\b(?:so|then|and|for|which|that|until|till|when|once))? ?\byou(?:'ll|'d)?\b"
    r"(?= (?:to|can|could|may|might|will|should|must|need|then|just|would|are|want|have)\b)"
)
_NUMBER = r"(?:[0-9]{1,3}|an?|one|two|three|four|five|six|seven|eight|nine|ten|twelve|fifteen|twenty|thirty|sixty)"
_TIME = r"(?:seconds?|secs?|minutes?|mins?|hours?|days?|weeks?|months?|moments?|while|bit|jiffy)"
_WEEKDAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
LATER = words(
    r"(?<!not\s)(?<!than\s)(?<!of\s)\b(?:later|tonight|tomorrow|soon|shortly|afterwards?|overnight|over night"
    r"|in due course"
    rf"|(?:in|after|within|for) (?:about |around |just |the next )?(?:{_NUMBER}|an? few|few|some|half an|a couple of)"
    rf" (?:short |more )?{_TIME}"
    r"|(?:at|by|before|around|until|till|from) (?:about |around |exactly )?(?:[0-9]{1,2}(?::[0-9]{2})?|one|two|three"
    r"|four|five|six|seven|eight|nine|ten|eleven|twelve|noon|midnight|lunch\w*|dinner|breakfast|bedtime|then|tonight"
    r"|night)\b"
    rf"|this (?:evening|afternoon)|in the (?:evening|afternoon|morning)|on {_WEEKDAY}|(?:by|next|this) {_WEEKDAY}"
    r"|next week|every (?:\w+ )?(?:hour|minute|day|morning|evening|night|week)|(?:when(?:ever)?|once"
    r"|as soon as) (?:it|the|there|i)\b|if (?:it|the|there|any\w*|they) |after (?:lunch|dinner|work|school)|(?:during"
    r"|over) the (?:day|night|week)|when the time (?:comes|is right)|(?:from|as) time to time)"
)
"""A time that is not now."""

NOW = words(
    r"\b(?:(?<!from\s)now|here|below|right away|immediately|at once|straight away|in (?:this|the|our) (?:chat"
    r"|conversation|message|reply|answer)|as follows)\b"
)

_LEAD = (
    r"(?:(?:be |try to |try and |do my best to |make sure to |be sure to |be happy to |be glad to |gladly "
    r"|not forget to |never forget to |not fail to |never fail to |have to |go ahead and |get to work and "
    r"|remember to |start )){0,2}"
)
# Verbs that reach out of the chat or into the future by themselves.
_AWAY = (
    r"(?:e-?mail|mail|text (?:you|me|it|him|her|them)|message (?:you|me|him|her|them)|call (?:you|me|him|her|them)"
    r"|phone|ring you|ping|notify|alert|remind|wake|monitor|track|schedul|keep (?:an? )?(?:\w+ )?(?:eye|track|watch"
    r"|checking|watching|monitoring|looking)|keep (?:you|\w+) (?:posted|updated|informed)|get back to|follow up"
    r"|report back|check back|check in|look out|come back (?:to you|with|and)|(?:set|start"
    r"|turn on) (?:\w+ ){0,3}?(?:alarm|timer|reminder|alert|notification)s?|put (?:\w+ ){1,4}?(?:calendar|diary)"
    r"|add (?:\w+ ){1,4}?(?:calendar|diary)|set (?:it|that|this) up|set up (?:an?|the|your)|arrange (?:it|that|this"
    r"|for)|make (?:it|that|this) happen|watch|wait (?:for|until|till) (?!you))"
)
# Verbs that owe something, unless they say that it is done here and now.
_OWED = (
    r"(?:send|deliver|forward|post|let you know|work on|do (?:that|it|this|so|exactly that|just that)(?! here)"
    r"|take care of|handle (?:it|this|that)|get (?:it|that|this) (?:to you|done|sent|ready)|have (?:it|this|that|them"
    r"|the \w+|your \w+|everything) (?:\w+ )?(?:ready|done|finished|sent|waiting)|update you|be (?:on it|back"
    r"|in touch|watching|working|sending|e-?mailing|monitoring|checking|tracking))"
)
_WEAK = (
    r"(?:write|prepare|make|finish|start|draft|compose|get|bring|give|have|tell|say|share|show|check|look|search|find"
    r"|do|update|return|report|read|work|complete|create|put|run|research|collect|gather|review|count|sort|look up"
    r"|answer)"
)
_JOINED = r"(?:\A ?|(?:,|\band|\bthen|\bor) )"
_VERBS = {
    name: words(rf"{_JOINED}{_SLOW}{_LEAD}{_SLOW}(?P<verb>{verbs})(?:s|d|ed|ing|e|ling)?\b")
    for name, verbs in (("away", _AWAY), ("owed", _OWED), ("weak", _WEAK))
}
_TELLS_NOW = words(r"\b(?:tell|say|let you know|give|share|show|remind|alert)\b (?:\w+ )?(?:that|what|how|why|:)")
_REFUSED = words(
    rf"\A ?{_SLOW}(?:not|never|no longer|only)\b(?! (?:forget|fail|only|just|miss)\b)"
    r"|\A ?(?:be unable|have to (?:decline|say no|refuse|pass)|need you|ask you|(?:be )?honest|be (?:clear|frank))"
)
_NEGATED_VERB = words(r"\b(?:not|never|without|nor|no)\b \W?(?:\w+ ){0,2}\Z|n't (?:\w+ ){0,2}\Z")

# Whole promises and claims that do not begin with "I will".
_CLAIMS = words(
    rf"{_WHO}(?:'ve| have|) ?(?:(?:just|already|now|also|successfully) ){{0,2}}(?:sent|e-?mailed|mailed|texted|messaged"
    r"|scheduled|queued|arranged|notified|set (?:\w+ ){0,3}?(?:alarm|timer|reminder|alert|notification)s?|added"
    r" (?:\w+ ){1,5}?(?:calendar|diary|reminders)|put (?:\w+ ){1,5}?(?:calendar|diary)|started (?:to )?(?:watch"
    r"|monitor|track|work)\w*|begun (?:to )?(?:watch|monitor|track|work)\w*)\b"
    rf"|{_WHO}(?:'m| am|'re| are) (?:(?:now|already|currently|just|still) ){{0,2}}(?:sending (?:it|this|that|you|the"
    r"|your)(?! here)|e-?mailing|texting|scheduling|setting (?:\w+ ){0,3}?(?:alarm|timer|reminder|alert)|watching"
    r"|monitoring|tracking|keeping (?:an? )?(?:\w+ )?(?:eye|track|watch)|working on (?:it|this|that|your|the)|on it\b)"
    r"|\b(?:e-?mail|message|reminder|alarm|timer|alert|notification|task|text|it|that|everything)"
    r" ?(?:has been |have been |was |is |is now |is already |'s |are |: )?(?:(?:now|already|successfully|just) )?"
    r"(?:sent\b|scheduled\b|set (?:for|to|at)\b|set(?=[.!]|\Z)|delivered\b|e-?mailed\b|queued\b|on (?:its|the) way\b)"
    r"|\b(?:give|allow|grant) me (?:just |about |only )?(?:\w+ ){1,3}?(?:minutes?|mins?|hours?|days?)\b"
    r"|\bconsider it (?:done|sent|handled)|\byou can count on me|\bleave (?:it|that|this) (?:with|to) me"
    r"|\bit shall be done|\b(?:i|you have my) promise\b(?=\W*(?:[.!]|\Z))"
)
# A claim that needs a later time, or an inbox, after it.
_COMING = words(
    r"\byou(?:'ll| will| can expect to|'re going to| are going to) (?:(?:then|also|soon|surely|certainly) ){0,2}"
    r"(?:receive|get|have|find|hear|see|be (?:reminded|notified|told|alerted|e-?mailed))"
    r"|\byou (?:can|should|may) expect|(?:\A|[.!?\n]\W{0,3})expect (?:it|an?|the|my|your)\b"
    r"|\b(?:it|this|that|they|everything|(?:the|your) \w+(?: \w+){0,6}?|an? (?:\w+ )?(?:e-?mail|message|reminder"
    r"|alert)) ?(?:'ll| will| shall) (?:(?:then|also|soon) )?(?:be (?:sent|ready|there|done|finished|waiting"
    r"|delivered|in your|with you|on its way|e-?mailed)|arrive|come|reach|land|go out|get to)"
    r"|\b(?:i|we) (?:e-?mail|mail|send|remind|text|call|notify|alert|watch|tell)\b(?= (?:it|you|this|that|the|your"
    r"|them)\b)|\bcoming (?:up|your way|right up|to you)\b"
    r"|\bcheck your (?:in ?box|e-?mails?|mail ?box|mail|phone|messages)"
    r"|(?:\A|[.!?\n]\W{0,3}|\b(?:sure|yes|ok|okay)[,!]? )(?:sending|e-?mailing|mailing|texting|setting|scheduling"
    r"|monitoring|watching|tracking|reminding|working on|checking)(?= (?:it|you|this|that|the|your"
    r"|an?)\b)(?!(?: \w+){1,8} (?:is|isn't|are|requires?|needs?|would|cannot|can't|does)\b)"
)
_INBOX = words(r"\b(?:in ?box|e-?mail|mail ?box|phone|calendar)\b")
_ACCEPTS = words(
    r"(?:\A|[.!?\n])\W{0,4}(?:(?:sure|sure thing|yes|yep|ok|okay|of course|certainly|absolutely|definitely|no problem"
    r"|got it|great|alright|all right|right|gladly|with pleasure)\W{1,4}){0,3}"
    r"(?:will do|on it|i will|i shall|i can|yes i can|you got it|you've got it|done)(?=\W{0,3}(?:\n|\Z|[.!]))"
)
# Depends on the user's coming back to the chat: then there is something that can be done.
_IF_YOU = words(
    r"\b(?:if|when|once|whenever|after|as soon as|next time|until) you (?:\w+ ){0,2}?(?:come|return|ask|paste|open"
    r"|write|message|check in|reopen|are back|get back|visit|send me|tell me|give me|show me|copy|share|remind me)\b"
    r"(?!(?: \w+){0,3} (?:address|e-?mail|number|phone|contact))"
)
_UNREAL = words(r"\bif (?:i|it|this|that|there) (?:could|were|was|had|only)\b|\bi wish\b|\bas if\b|\bpretend\w*")
# Before "I will" and its like: said to be untrue, or only asked about.
_NOT_SAID = words(
    r"\b(?:if|whether|wish|doubt|pretend\w*|(?:don't|do not|didn't|can't|cannot|can not|could not|couldn't|won't"
    r"|will not|not) (?:\w+ )?(?:think|believe|say|claim|promise|pretend|guarantee|mean|true|possible|expect|imply)"
    r"|untrue|false|nor|neither|how|what|where|which|unable to (?:say|promise)|no|instead of|as if)\b"
)
_TAKEN_BACK = words(
    r"\A[^.!?\n]{0,80}\b(?:but|although|though|however|unfortunately|except)\b[^.!?\n]{0,40}"
    r"\b(?:can't|cannot|can not|not able|unable|no way|don't have|do not have|am not|not possible)\b"
)
DENIES = words(
    rf"{_WHO} {_SLOW}(?:cannot|can't|can not|could not|couldn't|won't be able|will not be able|am not able|am unable"
    r"|will be unable|am not (?:\w+ )?(?:capable|equipped|allowed|designed))"
    r"(?! (?:wait|promise|guarantee|forget|help but|imagine|think|say|thank|recommend))"
    rf"|{_WHO}'m (?:unable|not (?:\w+ )?(?:able|capable|equipped|allowed|designed))"
    rf"|{_WHO} {_SLOW}(?:(?:don't|do not) have|have no|lack) (?:\w+ ){{0,4}}?(?:way|ability|access|means|timers?"
    r"|clock|mail|mailer|e-?mails?|tools?|memory|power|capability|permission|possibility|internet|phone|alarm"
    r"|calendar)\b"
    rf"|{_WHO}(?:'m| am) (?:only|just|merely) (?:[\w-]+ ){{0,3}}?(?:ai|model|program|chatbot|assistant|machine)\b"
    rf"|{_WHO} (?:can )?only (?:can )?(?:write|work|answer|reply|exist|respond|act|speak)"
    rf"|{_WHO} (?:won't|will not|don't|do not|shall not|am not going to) {_SLOW}(?:be )?(?:send|e-?mail|mail|text"
    r"|call|remind|work|run|watch|monitor|keep|do (?:that|this|it)|act|exist)"
    r"|\b(?:that|this|it)(?: is|'s) (?:\w+ )?(?:not possible|impossible|beyond|more than i can|not something i can"
    r"|outside)|\b(?:is|are|'s) (?:\w+ )?(?:beyond (?:me|my \w+)|not something i)|\blimited to (?:this|text|writing)"
    r"|\b(?:there is|there's) no way|\bno way for me|\bnot possible for me|\bimpossible for me|\b(?:have to"
    r"|must) decline|\bnothing (?:goes|leaves|will come) "
)
_ONLY_YET = words(r"\b(?:right now|just now|yet|at the moment|any (?:earlier|sooner|faster))\b")
_CONDITION = re.compile(r"\b(?:if|when|unless|whether|whenever|once)\b", re.IGNORECASE)
HERE = words(r"\b(?:here|below|in (?:this|the|our) (?:chat|conversation|message|reply|answer)|as follows)\b")
_WRITES = r"(?:write|draft|give|show|tell|make|explain|list|compose|create|answer|suggest|say|type|print|read)"
_OFFERS = words(
    rf"{_WHO}(?:'ll| will| can| could|'d be (?:happy|glad) to| am happy to|'m happy to| am able to) (?:\w+ ){{0,2}}?"
    rf"(?P<verb>{_WRITES}|do|send|post|share|start|put)\b|\b(?:would you like|do you want|shall i|should i|want me"
    r"|may i)\b"
)
_OFFERS_HELP = words(rf"{_WHO}(?:'ll| will| can| could|'d be (?:happy|glad) to) (?:\w+ )?help you (?:to )?\w+")
_REDIRECTS = words(
    r"\byou (?:can|could|may|might|should|need to|have to|will have to|will need to|would need to|would have to|must)"
    r" (?:\w+ ){0,1}?(?:set|use|send|e-?mail|mail|check(?! your (?:in|e-?mail|mail|phone|mess))|ask|copy|paste|save"
    r"|put|write|add|watch|look|try|call|open|schedule)\b|\bi(?:'d| would)? (?:suggest|recommend)\b"
)


def find_promise(text: str) -> tuple[int, int] | None:
    """The [start, end) of the first promise of work for later, or claim to have it arranged, that stands as such."""
    found = [*_future(text), *_standing(text)]
    return min(found) if found else None


def _sentence(text: str, start: int, end: int) -> tuple[str, str]:
    """What stands before and after a place in its sentence, 200 characters of each at most."""
    before = re.split(r"[.!?]\s|\n", text[max(0, start - 200) : start])[-1]
    return before, re.split(r"[.!?](?:\s|$)|\n", text[end : end + 200])[0]


def _stands(text: str, start: int, end: int) -> bool:
    """Whether what is said there is neither denied nor made to depend on what the user does or on what is not so."""
    before, after = _sentence(text, start, end)
    whole = f"{before}{text[start:end]}{after}"
    mark = text[end + len(after) : end + len(after) + 1]
    if mark == "?" or _IF_YOU.search(whole) or _UNREAL.search(f"{before}|{after}"):
        return False
    return not _NOT_SAID.search(clause_before(text, start))


def _future(text: str) -> list[tuple[int, int]]:
    """The first promise of the form "I will …"."""
    for pattern in (_START, _BARE_START):
        for m in pattern.finditer(text):
            ending = _SEGMENT_END.search(text, m.end(), m.end() + 200)
            end = ending.start() if ending else min(len(text), m.end() + 200)
            segment = text[m.end() : end]
            if _REFUSED.search(segment):
                continue
            later = bool(LATER.search(segment) or LATER.match(text, end))  # the segment may end at "if the price ..."
            if not _promises(segment, later, bool(NOW.search(segment))):
                continue
            if re.search(r"'d|would", m.group()) and _TAKEN_BACK.search(text[end : end + 160]):
                continue
            if _stands(text, m.start(), m.end()):
                return [(m.start(), end)]
    return []


def _promises(segment: str, later: bool, now: bool) -> bool:
    for name, pattern in _VERBS.items():
        for verb in pattern.finditer(segment):
            if _NEGATED_VERB.search(segment[: verb.start("verb")]) and not re.search(r"forget|fail", segment):
                continue
            if _TELLS_NOW.match(segment, verb.start("verb")) and not (name == "away" and later):
                continue
            if name == "away" or later or (name == "owed" and not now):
                return True
    return False


def _standing(text: str) -> list[tuple[int, int]]:
    """The first promise or claim of another form."""
    for pattern in (_CLAIMS, _ACCEPTS):
        for m in pattern.finditer(text):
            if _stands(text, m.start(), m.end()):
                return [m.span()]
    for m in _COMING.finditer(text):
        after = _sentence(text, m.start(), m.end())[1]
        if (LATER.search(after) or _INBOX.search(m.group() + after)) and _stands(text, m.start(), m.end()):
            return [(m.start(), m.end() + len(after))]
    return []


def find_denial(text: str) -> tuple[str, bool]:
    """The words by which it says that it cannot do that ("" without), and whether they are only about this moment."""
    for m in DENIES.finditer(text):
        if not _CONDITION.search(clause_before(text, m.start())):
            return m.group(), bool(_ONLY_YET.search(_sentence(text, m.start(), m.end())[1]))
    return "", False


def find_offer(text: str) -> str:
    """The words that offer something to be done in the chat now, or when the user is back, or by the user; or ""."""
    for m in _OFFERS.finditer(text):
        after = text[m.end() : m.end() + 120].split("\n")[0]
        before = _sentence(text, m.start(), m.end())[0]
        if _CONDITION.search(clause_before(text, m.start())) or _NEGATED_VERB.search(
            m.group()[: -len(m["verb"] or "")]
        ):
            continue
        sends = m["verb"] and not re.fullmatch(_WRITES, m["verb"], re.IGNORECASE)
        if (HERE if sends else NOW).search(after) or _IF_YOU.search(before + m.group() + after):
            return m.group()
    for pattern in (_OFFERS_HELP, _REDIRECTS):
        found = pattern.search(text)
        if found:
            return found.group()
    return ""
