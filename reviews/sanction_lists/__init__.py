"""Lists of sanctioned people and bodies, as their publishers write them: read, kept, replaced."""
