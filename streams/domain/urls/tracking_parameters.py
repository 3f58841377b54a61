"""Query parameters that name the click, the campaign or the visitor, never the page.

Only names that are unmistakable on any site stand here: `ref`, `source`, `id`, `from` or `si` mean something somewhere.
"""

TRACKING_PREFIXES = (
    "utm_",  # Urchin, Google Analytics and everyone since
    "mtm_",  # Matomo
)

# Lower case: names are compared case-insensitively.
TRACKING_PARAMETERS = frozenset(
    {
        # Click identifiers of advertisers
        "dclid",
        "epik",
        "fbclid",
        "gad_source",
        "gbraid",
        "gclid",
        "gclsrc",
        "li_fat_id",
        "msclkid",
        "rb_clickid",
        "srsltid",
        "ttclid",
        "twclid",
        "wbraid",
        "wickedid",
        "yclid",
        "ysclid",
        # Mail and marketing automation
        "__hsfp",
        "__hssc",
        "__hstc",
        "__s",
        "_hsenc",
        "_hsmi",
        "ck_subscriber_id",
        "hsctatracking",
        "mc_cid",
        "mc_eid",
        "mkt_tok",
        "ml_subscriber",
        "ml_subscriber_hash",
        "oly_anon_id",
        "oly_enc_id",
        "vero_conv",
        "vero_id",
        # Analytics
        "_ga",
        "_gl",
        "_openstat",
        "pk_campaign",
        "pk_kwd",
        "s_cid",
        "wt.mc_id",
        # Share buttons of social networks
        "igsh",
        "igshid",
        "ref_src",
        "ref_url",
        "spm_id_from",
        "vd_source",
    }
)
