"""From a URL to items: fetching, decoding, parsing, feed lists."""
