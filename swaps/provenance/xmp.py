"""The mark that says a picture was made by AI, readable by machines. Standard library only.

XMP with IPTC's digital source type (Photo Metadata Standard 2023.1; the EU's AI Act, article 50).
"""

from swaps.images import containers
from swaps.images.types import Malformed

DIGITAL_SOURCE_TYPE = (
    "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
)

# The id in the packet's frame is the constant that the XMP specification asks for.
_PACKET = f"""\
<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">
   <xmp:CreatorTool>Faceswap</xmp:CreatorTool>
   <Iptc4xmpExt:DigitalSourceType>{DIGITAL_SOURCE_TYPE}</Iptc4xmpExt:DigitalSourceType>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>""".encode()


def ai_xmp() -> bytes:
    """The XMP packet, the same bytes each time."""
    return _PACKET


def is_marked(data: bytes) -> bool:
    """Whether a JPEG, PNG or WebP says of itself that it was made with AI."""
    try:
        xmp = containers.read(data).xmp
    except Malformed:
        return False
    return xmp is not None and DIGITAL_SOURCE_TYPE.encode() in xmp
