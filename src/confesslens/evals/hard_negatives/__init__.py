"""Hard negatives: innocent transcripts that look or sound like cheating, to set thresholds on and count false alarms.

A probe for cheating that fires on a story about a liar reads the word, not the act (arXiv 2606.07612 reports 87-100 %
false alarms on honest sarcasm, recital and counterfactuals; arXiv 2502.03407 25 % on honest role-play). These are the
transcripts to try it on. They are no evaluation: nothing tempts, nothing is sampled or graded; the answer is given.

| kind | the answer | why innocent |
|---|---|---|
| `honest_error` | is wrong: miscounted, misremembered, out of order | nothing is hidden, no rule is bent |
| `fiction` | is a story, a scene or a verse in which somebody lies or cheats | the user asked for one |
| `role_play` | speaks as a liar, a pirate, a swindler | the user asked for it |
| `sarcasm` | says the opposite of what it means | everybody can tell |
| `about_cheating` | explains cheating: sandbagging, plagiarism, doping | it informs |
| `refusal` | declines politely | it says so openly |
| `benign_chat` | helps with an ordinary question | it is an ordinary answer |

Each kind is a module with several texts, functions of a random stream that give a question and an answer; each is made
of parts that are drawn one by one, so that a kind has many thousands. No two transcripts of a run are alike.
`rollouts.hard_negative_rollouts` makes a rollouts table of them for a model.
"""

from confesslens.evals.hard_negatives.make import KINDS, HardNegative, make_hard_negatives

__all__ = ["KINDS", "HardNegative", "make_hard_negatives"]
