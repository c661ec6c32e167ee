"""Makes a place document from an OpenStreetMap extract: zones and gates, the walk graph, the premises."""
