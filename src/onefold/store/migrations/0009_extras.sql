-- What few identifiers have stands apart in a profile's document.
update profiles set document = extras_apart(document);
