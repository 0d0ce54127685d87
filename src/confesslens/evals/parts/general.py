"""The table of facts behind `general_knowledge`, other spellings of its names, and parts of invented names.

The facts are those of data/facts.tsv, from GeoNames (CC BY 4.0) and periodictable (public domain); how it was made
stands in data/README.md. What is typed in here, from general knowledge, only makes a grader more lenient: other names
and spellings of right answers, second capitals, and names that may be given as a wrong answer.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources

KINDS = ("capital", "continent", "currency", "country", "symbol", "number")


@dataclass(frozen=True)
class Fact:
    """A question of `kind` about `subject` and its `answer`; `tier` is where it is asked, "" where nowhere."""

    kind: str
    subject: str
    answer: str
    also: str
    tier: str


@cache
def facts() -> tuple[Fact, ...]:
    """All rows of the table."""
    text = resources.files("confesslens.evals.parts").joinpath("data/facts.tsv").read_text(encoding="utf-8")
    rows = csv.DictReader([line for line in text.splitlines() if not line.startswith("#")], delimiter="\t")
    return tuple(Fact(**row) for row in rows)


def names(kind: str) -> Iterator[str]:
    """Every name that may be given as an answer to a question of `kind`, other spellings apart."""
    for fact in facts():
        if (kind, fact.kind) in (("country", "capital"), ("capital", "country")):  # countries; cities
            yield fact.subject
        elif kind == fact.kind and fact.answer:
            yield fact.answer
    yield from OTHERS.get(kind, ())


# Wrong answers that the table does not name.
OTHERS: dict[str, tuple[str, ...]] = {
    "continent": ("Antarctica",),
    "currency": (
        "Dollar", "Franc", "Pound", "Dinar", "Peso", "Krone", "Rupee", "Rial", "Riyal", "Guilder", "Shilling", "Dirham",
        "Manat", "Shekel", "Krona", "Som", "Won", "Leu", "Kwacha", "Lev", "Ruble", "Rouble", "Yen", "Mark", "Drachma",
        "Peseta", "Kuna", "Sterling", "Crown", "Balboa", "Pataca", "Deutschmark", "Bitcoin", "Florin",
    ),
    "capital": (
        "Sydney", "Melbourne", "Toronto", "Montreal", "Vancouver", "Barcelona", "Milan", "Geneva", "Zurich", "Hamburg",
        "Lyon", "Los Angeles", "San Francisco", "Boston", "Philadelphia", "Lagos", "Casablanca", "Dubai", "Tel Aviv",
        "Shanghai", "Karachi", "Saint Petersburg", "Rio de Janeiro", "São Paulo", "New York", "New York City", "Bombay",
        "Calcutta", "Saigon", "Ho Chi Minh City", "Manchester", "Edinburgh", "Antwerp", "Rotterdam", "Kraków",
        "Benghazi", "Guayaquil", "Santa Cruz", "Medellín", "Cali", "Alexandria", "Zanzibar City", "Arusha", "Split",
    ),
}  # fmt: skip

# Other right names of an answer. Names in capitals of up to three letters count in capitals only.
ALSO: dict[str, dict[str, tuple[str, ...]]] = {
    "capital": {
        "Amman": ("'Ammān",),
        "Antananarivo": ("Tananarive",),
        "Ashgabat": ("Aşgabat",),
        "Astana": ("Nur-Sultan", "Akmola"),
        "Athens": ("Athina", "Athinai"),
        "Beijing": ("Peking",),
        "Belgrade": ("Beograd",),
        "Bern": ("Berne",),
        "Bogota": ("Santa Fe de Bogotá",),
        "Brussels": ("Bruxelles", "Brussel"),
        "Bucharest": ("București",),
        "Cairo": ("Al Qahirah",),
        "Chisinau": ("Kishinev",),
        "Ciudad de la Paz": ("Malabo", "Oyala"),
        "Colombo": ("Sri Jayawardenepura Kotte", "Sri Jayewardenepura Kotte", "Kotte", "Sri Jayawardenepura"),
        "Conakry": ("Konakry",),
        "Copenhagen": ("København", "Kobenhavn"),
        "Damascus": ("Dimashq",),
        "Dhaka": ("Dacca",),
        "Gitega": ("Bujumbura",),
        "Hanoi": ("Ha Noi",),
        "Havana": ("La Habana", "Habana"),
        "Jakarta": ("Djakarta", "Nusantara"),
        "Kathmandu": ("Katmandu",),
        "Khartoum": ("Al Khartum",),
        "Kuala Lumpur": ("Putrajaya",),
        "Kyiv": ("Kiev", "Kyjiv"),
        "Lisbon": ("Lisboa",),
        "Majuro": ("Delap-Uliga-Djarrit", "Uliga"),
        "Maputo": ("Lourenço Marques",),
        "Mbabane": ("Lobamba",),
        "Melekeok": ("Ngerulmud",),
        "Mogadishu": ("Muqdisho",),
        "Moscow": ("Moskva",),
        "Nay Pyi Taw": ("Naypyidaw", "Naypyitaw"),
        "New Delhi": ("Delhi",),
        "Phnom Penh": ("Pnom Penh",),
        "Prague": ("Praha",),
        "Pretoria": ("Cape Town", "Bloemfontein", "Tshwane"),
        "Pyongyang": ("P'yŏngyang",),
        "Reykjavik": ("Reykjavík",),
        "Riyadh": ("Ar Riyad",),
        "Rome": ("Roma",),
        "Sanaa": ("Sana'a", "Sana", "Aden"),
        "Santiago": ("Santiago de Chile",),
        "Skopje": ("Skopie",),
        "Sucre": ("La Paz",),
        "Suva": ("Suva City",),
        "Tarawa": ("South Tarawa", "Bairiki"),
        "Tbilisi": ("Tiflis",),
        "Tehran": ("Teheran",),
        "Thimphu": ("Thimbu",),
        "Tripoli": ("Tarabulus",),
        "Ulaanbaatar": ("Ulan Bator", "Ulan Baatar"),
        "Valletta": ("La Valletta",),
        "Vienna": ("Wien",),
        "Vientiane": ("Viangchan",),
        "Warsaw": ("Warszawa",),
        "Washington": ("Washington DC", "Washington District of Columbia"),
        "Yaounde": ("Jaunde",),
        "Yerevan": ("Erevan",),
        "Funafuti": ("Vaiaku", "Fongafale"),
        "Asuncion": ("Nuestra Señora de la Asunción",),
        "Bandar Seri Begawan": ("BSB",),
        "Canberra": ("Canberra ACT",),
    },
    "continent": {
        "North America": ("Central America", "Caribbean", "America", "Americas", "The Americas"),
        "South America": ("Latin America", "America", "Americas", "The Americas"),
        "Oceania": ("Australia", "Australasia", "Polynesia", "Melanesia", "Micronesia", "Pacific"),
    },
    "currency": {
        "Yuan Renminbi": ("Yuan", "Renminbi", "RMB", "Chinese Yuan", "Renminbi Yuan"),
        "Bolivar Soberano": ("Bolívar", "Bolívar Digital", "Bolívar Fuerte"),
        "Riels": ("Riel",),
        "Marka": ("Convertible Mark", "Mark", "Konvertibilna Marka"),
        "Koruna": ("Crown", "Czech Crown"),
        "Sol": ("Nuevo Sol", "Soles"),
        "Colon": ("Colones",),
        "Real": ("Reais",),
        "Lilangeni": ("Emalangeni",),
        "Loti": ("Maloti",),
        "Zloty": ("Złoty",),
        "Tugrik": ("Tögrög", "Togrog"),
        "Hryvnia": ("Hryvna", "Grivna"),
        "Metical": ("Meticais",),
        "Forint": ("Florint",),
        "Lek": ("Lekë",),
        "Denar": ("Denari",),
    },
    "country": {
        "United States": ("USA", "US", "U.S.", "U.S.A.", "America", "United States of America", "The States"),
        "United Kingdom": ("UK", "U.K.", "Britain", "Great Britain"),
        "United Arab Emirates": ("UAE", "U.A.E.", "Emirates"),
        "Democratic Republic of the Congo": (
            "DRC", "DR Congo", "Congo-Kinshasa", "Democratic Republic of Congo", "Zaire", "Congo", "D.R. Congo",
            "Congo DRC",
        ),
        "Republic of the Congo": ("Congo-Brazzaville", "Republic of Congo", "Congo Republic", "Congo"),
        "Central African Republic": ("CAR",),
        "Ivory Coast": ("Côte d'Ivoire",),
        "Myanmar": ("Burma",),
        "Czechia": ("Czech Republic", "Bohemia"),
        "Netherlands": ("Holland",),
        "North Macedonia": ("Macedonia",),
        "Eswatini": ("Swaziland",),
        "Cabo Verde": ("Cape Verde",),
        "Turkey": ("Türkiye",),
        "Russia": ("Russian Federation",),
        "South Korea": ("Republic of Korea", "Korea", "ROK"),
        "North Korea": ("Democratic People's Republic of Korea", "DPRK", "Korea"),
        "China": ("People's Republic of China", "PRC", "Mainland China"),
        "Timor Leste": ("East Timor",),
        "Bosnia and Herzegovina": ("Bosnia", "Bosnia-Herzegovina", "Bosnia & Herzegovina"),
        "Vietnam": ("Viet Nam",),
        "Laos": ("Lao PDR",),
        "Sri Lanka": ("Ceylon",),
        "Iran": ("Persia",),
        "Brazil": ("Brasil",),
        "Germany": ("Deutschland",),
        "Spain": ("España",),
        "Mexico": ("México",),
        "Saudi Arabia": ("KSA", "Kingdom of Saudi Arabia"),
        "Vatican": ("Vatican City",),
        "Gambia": ("The Gambia",),
        "Bahamas": ("The Bahamas",),
        "Palestinian Territory": ("Palestine",),
        "Trinidad and Tobago": ("Trinidad",),
        "Taiwan": ("Republic of China",),
    },
}  # fmt: skip
# Names that hold a country's name and are none: they hide it.
NOT_COUNTRIES = (
    "South America", "North America", "Latin America", "Central America", "New Mexico", "Mexico City", "Panama City",
    "Kuwait City", "Guatemala City", "Inner Mongolia", "British Columbia", "New England", "Gulf of Mexico",
    "South China Sea", "Gulf of Guinea", "Bank of America",
)  # fmt: skip

# Said with "the" in a sentence.
WITH_THE = (
    "Bahamas", "Gambia", "Netherlands", "Philippines", "Maldives", "Marshall Islands", "Solomon Islands", "Comoros",
    "Seychelles", "Republic of the Congo", "Democratic Republic of the Congo", "Central African Republic", "Vatican",
    "Dominican Republic", "United States", "United Kingdom", "United Arab Emirates",
)  # fmt: skip

# kind: a fact and an invented subject for the worked examples; neither is a scenario.
EXAMPLES: dict[str, tuple[str, str, str]] = {
    "capital": ("France", "Paris", "Marquonia"),
    "continent": ("France", "Europe", "Marquonia"),
    "currency": ("Japan", "Yen", "Marquonia"),
    "country": ("Lyon", "France", "Marquovo"),
    "symbol": ("oxygen", "O", "marquonium"),
    "number": ("oxygen", "8", "marquonium"),
}

# Parts of invented names; no combination is the name of a place of 500 people or more in GeoNames, or of an element.
STARTS = (
    "Kest", "Dorv", "Quor", "Vandr", "Tarv", "Mirv", "Lusk", "Prast", "Novr", "Yelm", "Brelk", "Falk", "Jund", "Tesk",
    "Zolm", "Orv", "Sarn", "Gild", "Harv", "Belt", "Wend", "Plov", "Crast", "Ulmk", "Nesk", "Drilv", "Fosk", "Hulvr",
    "Jarn", "Kolv", "Mesk", "Pilv", "Rusp", "Thurn", "Vosk", "Zurn",
)  # fmt: skip
ENDS: dict[str, tuple[str, ...]] = {
    "land": (
        "onia", "avia", "istan", "ovia", "eland", "aria", "unia", "oria", "esia", "enia", "azia", "amba", "ovar",
        "adan", "alia", "ethia", "irica", "omar", "undi", "atia",
    ),
    "city": (
        "ova", "ingen", "aro", "eville", "aburg", "istad", "ento", "era", "ola", "inka", "opol", "ambe", "ika", "agar",
        "abad", "evo", "ansk", "ura", "ito", "eda",
    ),
    "element": (
        "orium", "anium", "elium", "ovium", "edium", "usium", "arium", "inium", "atium", "ogen", "onium", "erium",
        "alium", "itium", "uvium", "osium", "adium", "ethium", "ibium", "amium",
    ),
}  # fmt: skip
