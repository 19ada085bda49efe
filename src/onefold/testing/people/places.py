"""Cities, streets and companies."""

from __future__ import annotations

# City, state, first three digits of the ZIP, area code, share.
CITIES = [
    (" ".join(one[:-4]), one[-4], one[-3], one[-2], float(one[-1]))
    for one in (
        line.split()
        for line in """New York NY 100 212 9
Brooklyn NY 112 718 5
Los Angeles CA 900 213 8
Chicago IL 606 312 6
Houston TX 770 713 5
Phoenix AZ 850 602 4
Philadelphia PA 191 215 4
San Antonio TX 782 210 3
San Diego CA 921 619 3
Dallas TX 752 214 3
San Jose CA 951 408 3
Austin TX 787 512 3
Jacksonville FL 322 904 2
Columbus OH 432 614 2
Charlotte NC 282 704 2
Indianapolis IN 462 317 2
San Francisco CA 941 415 3
Seattle WA 981 206 3
Denver CO 802 303 2
Washington DC 200 202 2
Boston MA 021 617 3
Nashville TN 372 615 2
Portland OR 972 503 2
Las Vegas NV 891 702 2
Detroit MI 482 313 2
Memphis TN 381 901 1
Baltimore MD 212 410 2
Milwaukee WI 532 414 1
Albuquerque NM 871 505 1
Tucson AZ 857 520 1
Fresno CA 937 559 1
Sacramento CA 958 916 1
Kansas City MO 641 816 1
Atlanta GA 303 404 2
Miami FL 331 305 2
Oakland CA 946 510 1
Minneapolis MN 554 612 2
Tulsa OK 741 918 1
Cleveland OH 441 216 1
Saint Louis MO 631 314 1
Saint Paul MN 551 651 1
Pittsburgh PA 152 412 1
Cincinnati OH 452 513 1
Anchorage AK 995 907 0.5
Honolulu HI 968 808 0.5
Boise ID 837 208 0.6
Springfield IL 627 217 0.5
Springfield MO 658 417 0.5
Salem OR 973 971 0.4
Mount Vernon NY 105 914 0.3
Fort Wayne IN 468 260 0.5
Madison WI 537 608 0.6
Burlington VT 054 802 0.2
Cheyenne WY 820 307 0.2""".split("\n")
    )
]
STREETS = """Main Oak Pine Maple Cedar Elm Washington Lake Hill Park Walnut Spring North Ridge Church Willow Mill Sunset
Railroad Jackson West South Highland Johnson Forest Jefferson Hickory Wilson River Meadow Valley Smith East Chestnut Madison
Franklin Adams Spruce Laurel Davis Birch Williams Lee Dogwood Green Poplar Locust Woodland Taylor Ash Magnolia College Lincoln
Grant Cherry Center Rose Broad Hillcrest Fairview Prospect Summit Liberty Monroe Court Water Union Mountain Sycamore Broadway
Vine Holly Arlington Cambridge Canterbury Chapel Dover Essex Garden Heather Ivy Juniper Kensington Lexington Mulberry Oxford
Princeton Quail Regency Sherwood Timber Victoria Windsor Yorktown Aspen Beech Cottonwood Deer Eagle Fox Hawthorne Linden
Martin_Luther_King St._Charles Cesar_Chavez Old_Mill Mill_Creek Stone_Ridge Indian_Trail Country_Club 1st 2nd 3rd 4th 5th
6th 7th 8th 9th 10th 12th 14th 23rd 42nd 101st""".split()
SUFFIXES = "Street Avenue Road Drive Lane Court Place Boulevard Circle Way Terrace Parkway Trail Square Loop".split()
SHORT_SUFFIXES = "St Ave Rd Dr Ln Ct Pl Blvd Cir Way Ter Pkwy Trl Sq Loop".split()
COMPANY_STARTS = """Acme Global Summit Pioneer Apex United National Pacific Atlantic Blue Green Silver Golden Bright Next First
Prime Alpha Delta Omega Vertex Nova Stellar Quantum Liberty Eagle Falcon Granite Cedar Harbor Lakeside Metro Capital""".split()
COMPANY_MIDDLES = """Systems Solutions Foods Logistics Partners Consulting Energy Health Media Design Software Motors Bank
Insurance Construction Electric Dental Legal Travel Textiles Plastics Labs Networks Marketing Security""".split()
COMPANY_FORMS = ["", "", " Inc.", " Inc", " LLC", " Corp.", " Co.", ", Inc.", " Ltd.", " Group"]
MAIL = """gmail.com gmail.com gmail.com gmail.com gmail.com yahoo.com yahoo.com hotmail.com hotmail.com outlook.com icloud.com
aol.com comcast.net msn.com live.com protonmail.com""".split()
CHINESE_MAIL = "qq.com qq.com qq.com 163.com 163.com 126.com sina.com foxmail.com gmail.com outlook.com".split()
MISSPELLED = {
    "gmail.com": ["gmial.com", "gmai.com", "gmail.con", "gamil.com", "gmail.co", "gnail.com"],
    "yahoo.com": ["yaho.com", "yahooo.com", "yahoo.con"],
    "hotmail.com": ["hotmial.com", "hotmai.com", "hotmail.con"],
    "outlook.com": ["outlok.com", "outlook.con"],
    "163.com": ["163.con", "l63.com"],
    "qq.com": ["qq.con", "qq.comm"],
}
