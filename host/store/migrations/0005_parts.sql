-- What takes the place of `published` when the challenge closes; null where its test rows are not parted, and after the close.
ALTER TABLE submissions ADD COLUMN published_at_close TEXT;
