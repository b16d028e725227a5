"""Rewrite an account of the local imin into other forms that JSON-LD and schema.org allow, for the customer `varied`.

docs/reading.md lists the forms. The meaning stays the same.
"""

from typing import Any

Json = dict[str, Any]


def vary(item: Json) -> Json:
    """Return `item` with every value in a form that a reader of plain JSON would not expect."""
    varied = {**item, "seller": [_vary_seller(item["seller"])]}
    if "dateLinked" in item:
        varied["dateLinked"] = {"@type": "xsd:dateTime", "@value": f"{item['dateLinked'][:16]}Z"}
        varied["hiddenEntitlements"] = f"https://schema.org/{item.get('hiddenEntitlements', False)}"
        varied["customer"] = [{name: {"@value": value} for name, value in item["customer"].items() if name == "email"}]
        varied["accessPass"] = {"@set": [{**item["accessPass"], "dateModified": item["accessPass"]["dateModified"][:10]}]}
        return varied
    varied["imin:matchingEmailExists"] = str(item["imin:matchingEmailExists"]).lower()
    varied |= {"dateLinked": "", "hiddenEntitlements": False, "customer": {}, "accessPass": []}
    if "potentialAction" in item:
        varied["potentialAction"] = [_vary_action(action) for action in item["potentialAction"]]
    return varied


def _vary_seller(seller: Json) -> Json:
    varied = {**seller, "name": {"@value": seller["name"], "@language": "en"}, "url": {"@id": seller["url"]}}
    if "logo" in seller:
        varied["logo"] = seller["logo"]["url"]
    return varied


def _vary_action(action: Json) -> Json:
    target = {"@type": "EntryPoint", "urlTemplate": f" {action['target']}"}
    return {"@type": ["schema:Action", f"schema:{action['@type']}"], "target": target}
