-- A first read in parts fills the table at rest itself, page by page: keys rise in each part and no
-- other part has them, so nothing can come twice. False as soon as anything else put records there.
ALTER TABLE shard ADD COLUMN is_first BOOLEAN DEFAULT false;
