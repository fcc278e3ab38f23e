"""Every case of what is signed, on which the command, Node and Chromium must agree."""

from tests.verifier import opening_corpus, rotation_corpus, signed_corpus, trust_corpus

CASES = [
    *signed_corpus.CASES,
    *rotation_corpus.CASES,
    *trust_corpus.CASES,
    *opening_corpus.CASES,
]
