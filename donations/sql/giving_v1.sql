-- What stands on the buttons of a donate page can be given: each of its amounts is in the range.
ALTER TABLE donations_givingcurrency
    ADD CONSTRAINT giving_presets_are_in_range
        CHECK (least <= ALL (presets) AND most >= ALL (presets));
