"""
Registration numbers: whether a country's register can have given out what an applicant wrote.

Checksums and forms come from python-stdnum. A country that is not in the table has no rule here,
and what is written for it is taken as it is.
"""

import re
from enum import Enum
from importlib import import_module
from typing import NamedTuple

TAKEN = re.compile(r"[\w .,:/()&+-]{1,60}\Z")


class Rule(NamedTuple):
    """One kind of number: what people call it, an example, and what checks it."""

    name: str
    example: str
    module: str = ""
    pattern: str = ""

    def fits(self, number: str) -> bool:
        """Tell whether a number can be one of these."""
        if self.pattern:
            return bool(re.fullmatch(self.pattern, re.sub(r"[ .-]", "", number).upper()))
        is_valid: bool = import_module(f"stdnum.{self.module}").is_valid(number)
        return is_valid


class Verdict(Enum):
    """What became of checking a number."""

    GOOD = "checked"
    WRONG = "wrong"
    NOT_CHECKED = "not checked"


VAT = "VAT number"
RULES = {
    "AT": [
        Rule("company register number", "FN 122119m", "at.businessid"),
        Rule("register number of an association (ZVR)", "ZVR 123456789", pattern=r"ZVR\d{9,10}"),
        Rule(VAT, "ATU13585627", "at.uid"),
    ],
    "AU": [
        Rule("ABN", "83 914 571 673", "au.abn"),
        Rule("ACN", "004 085 616", "au.acn"),
    ],
    "BE": [Rule("enterprise number", "0403.019.261", "be.vat")],
    "BG": [Rule("VAT number or UIC", "175 074 752", "bg.vat")],
    "BR": [Rule("CNPJ", "16.727.230/0001-97", "br.cnpj")],
    "CA": [
        Rule("charity number", "12302 6635 RR 0001", pattern=r"\d{9}RR\d{4}"),
        Rule("business number", "12302 6635 RC 0001", "ca.bn"),
    ],
    "CH": [Rule("UID", "CHE-100.155.212", "ch.uid")],
    "CZ": [Rule("DIČ or IČO", "25123891", "cz.dic")],
    "DE": [
        Rule("register number with its court", "Köln VR 4711", "de.handelsregisternummer"),
        Rule(VAT, "DE 136 695 976", "de.vat"),
    ],
    "DK": [Rule("CVR number", "13585628", "dk.cvr")],
    "EE": [Rule("register code", "12345678", "ee.registrikood")],
    "ES": [Rule("NIF", "B-58378431", "es.nif")],
    "FI": [Rule("business id (Y-tunnus)", "2077474-0", "fi.ytunnus")],
    "FR": [
        Rule("SIREN", "552 008 443", "fr.siren"),
        Rule("SIRET", "732 829 320 00074", "fr.siret"),
        Rule("RNA number of an association", "W751234567", pattern=r"W\d[\dA-Z]\d{7}"),
    ],
    "HR": [Rule("OIB", "33392005961", "hr.oib")],
    "HU": [Rule("tax number", "12892312", "hu.anum")],
    "IL": [Rule("company number", "516179157", "il.hp")],
    "IT": [Rule("codice fiscale or partita IVA", "00743110157", "it.codicefiscale")],
    "JP": [Rule("corporate number", "5-8356-7825-6246", "jp.cn")],
    "LT": [Rule(VAT, "119511515", "lt.pvm")],
    "LU": [Rule(VAT, "LU 150 274 42", "lu.tva"), Rule("RCS", "F1234", pattern=r"[A-Z]\d{1,7}")],
    "LV": [Rule("registration number", "40003521600", "lv.pvn")],
    "NL": [
        Rule("KvK number", "12345678", pattern=r"(KVK)?\d{8}"),
        Rule("RSIN", "111222333", "nl.bsn"),
        Rule(VAT, "NL4495445B01", "nl.btw"),
    ],
    "NO": [Rule("organisation number", "988 077 917", "no.orgnr")],
    "PL": [
        Rule("KRS number", "KRS 0000123456", pattern=r"KRS\d{10}"),
        Rule("NIP", "8567346215", "pl.nip"),
        Rule("REGON", "192598184", "pl.regon"),
    ],
    "PT": [Rule("NIPC", "501 964 843", "pt.nif")],
    "RO": [Rule("CUI", "18547290", "ro.cui")],
    "SE": [Rule("organisation number", "123456-7897", "se.orgnr")],
    "SI": [Rule("tax number", "50223054", "si.ddv")],
    "SK": [Rule(VAT, "SK 202 274 96 19", "sk.dph")],
    "UA": [Rule("EDRPOU code", "32855961", "ua.edrpou")],
    "US": [Rule("EIN", "91-1144442", "us.ein")],
}


def check(country: str, number: str) -> Verdict:
    """Return what the country's rules say of a number."""
    rules = RULES.get(country)
    if not rules:
        return Verdict.NOT_CHECKED
    is_good = bool(TAKEN.match(number)) and any(rule.fits(number) for rule in rules)
    return Verdict.GOOD if is_good else Verdict.WRONG


def expected(country: str) -> str:
    """Return what a country's numbers look like, as the end of a sentence."""
    kinds = [f"{rule.name} such as {rule.example}" for rule in RULES.get(country, [])]
    return ", or ".join(kinds)
