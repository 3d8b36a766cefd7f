"""From landing to raw: finds new releases and loads them."""
