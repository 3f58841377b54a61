"""Query parameters that name the click, the campaign, the visitor or his session, never the page.

Only names that are unmistakable on any site stand here: `ref`, `source`, `id`, `from`, `cid` or `si` mean something
somewhere; a site that knows better says so in its record. The names are those that the vendors' own documents give. No
library keeps such a list well: those on PyPI are small and of one person each, and the lists of ad blockers are under
licences that a table in code can't have. Against which lists they were checked, URLS.md says.
"""

import re
from typing import Final

# Lower case: names are compared case-insensitively.
TRACKING_PREFIXES: Final = (
    "utm_",  # Urchin, Google Analytics and everyone since
    "mtm_",  # Matomo
    "matomo_",
    "pk_",  # Piwik, which became Matomo
    "piwik_",
    "hsa_",  # HubSpot's advertisements
    "gad_",  # Google Ads: gad_source, gad_campaignid and what comes next
    "wt.mc_",  # Webtrends
    "pf_rd_",  # Amazon
    "aspsessionid",  # Classic ASP adds eight letters to it
)

_BY_FAMILY: Final = {
    "advertisements: Google, Meta, Microsoft, Yandex and others": """
        gclid gclsrc gbraid wbraid dclid srsltid fbclid fb_action_ids fb_action_types fb_source msclkid yclid
        ysclid ymclid ttclid twclid li_fat_id epik rdt_cid sccid scclid tblci obclid dicbo ob_click_id
        rb_clickid wickedid wicked_source s_kwcid ef_id awclid ndclid vmcid mkwid pcrid
        tw_source tw_campaign tw_term tw_content tw_adid gdfms gdftrk gdffi
    """,
    "mailers: Mailchimp, HubSpot, Marketo, Klaviyo, dotdigital, Drip, Vero, Omeda, MailerLite, Kit and others": """
        mc_cid mc_eid mc_tc mkt_tok _hsenc _hsmi _hsfp __hsfp __hssc __hstc hsctatracking _kx _ke __s dm_i
        ck_subscriber_id ml_subscriber ml_subscriber_hash oly_anon_id oly_enc_id vero_conv vero_id bsft_clkid bsft_eid
        bsft_mid bsft_uid bsft_aaid elqtrackid elqtrack elqaid elqat elqcampaignid sc_src sc_llid sc_lid
        sc_uid spmailingid spuserid spjobid spreportid trk_contact trk_msg trk_module trk_sid _bta_tid _bta_c
    """,
    "analytics: Google, Adobe, AT Internet, Yandex, Openstat and others": """
        _ga _gl _gac _gid _openstat s_cid at_campaign at_medium at_creation at_variant at_network at_emailtype at_format
        at_recipient_id at_recipient_list at_send_date at_link_id at_link_type at_link_origin at_ptr_name
        _branch_match_id _branch_referrer guccounter guce_referrer guce_referrer_sig itm_source itm_medium itm_campaign
        itm_content itm_term wt_mc wt_zmc wtrid redirect_log_mongo_id redirect_mongo_id sb_referer_host
    """,
    "social networks": """
        igsh igshid ref_src ref_url spm_id_from vd_source mibextid __twitter_impression
        __cft__[0] __tn__ __xts__[0] action_object_map action_ref_map action_type_map fb_ref
    """,
    "affiliates: Impact, Awin, CJ, Rakuten, Tradedoubler, ShareASale, Amazon, eBay": """
        irclickid irgwc awc cjevent cjdata ranmid raneaid ransiteid tduid sscid ascsubtag clickref subafid
        mkevt mkcid mkrid
    """,
    "viewers of AMP": "amp_js_v amp_gsa amp_kit amp_latest_update_time usqp",
    "sessions: Java, PHP, ColdFusion, shops": """
        jsessionid phpsessid oscsid zenid xtcsid cfid cftoken
    """,
}

TRACKING_PARAMETERS: Final = frozenset(name for names in _BY_FAMILY.values() for name in names.split())

# What some programs call a session, or a copy for mobile devices, and others a page: what it holds tells.
_AMBIGUOUS: Final = frozenset({"amp", "s", "sessid", "session", "session_id", "sessionid", "sid"})
_SESSION_VALUE: Final = re.compile(r"[0-9A-Fa-f]{32,}").fullmatch

_AMP_VALUES: Final = frozenset({"", "1", "true"})


def is_tracking(parameter: str) -> bool:
    """Whether a parameter, its value with it, says nothing of the page.

    >>> [is_tracking(text) for text in ("UTM_source=x", "id=3", "amp=1", "sid=12")]
    [True, False, True, False]
    """
    name, _, value = parameter.partition("=")
    name = name.lower()
    if name in _AMBIGUOUS:
        return value.lower() in _AMP_VALUES if name == "amp" else _SESSION_VALUE(value) is not None
    return name in TRACKING_PARAMETERS or name.startswith(TRACKING_PREFIXES)
