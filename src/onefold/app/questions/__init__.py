"""Questions about everybody: rules that nobody saved, SQL, segments and their past."""
