"""Records of people in: any columns, any habits of writing. Out: the columns of `Person`.

Promise: pure functions of the value alone; nothing makes them raise, and what they give they give
back unchanged. Dictionaries are loaded by their first use. Tables go the same way in `app.people`,
with SQL for what is written the plain way; the functions here say what is right.
"""
