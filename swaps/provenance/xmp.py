"""The machine-readable mark that a picture was made by AI, as an XMP packet. Standard library only.

It holds IPTC's digital source type (Photo Metadata Standard 2023.1; EU AI Act, article 50).
"""

from swaps.images import containers
from swaps.images.types import Malformed

DIGITAL_SOURCE_TYPE = (
    "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
)

# The id in the packet header is a constant of the XMP specification.
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
    """Return the XMP packet, the same bytes each time."""
    return _PACKET


def is_marked(data: bytes) -> bool:
    """Return whether the XMP of a JPEG, PNG or WebP says that the picture was made with AI."""
    try:
        xmp = containers.read(data).xmp
    except Malformed:
        return False
    return xmp is not None and DIGITAL_SOURCE_TYPE.encode() in xmp
