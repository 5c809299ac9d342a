-- The order whose event set them.
ALTER TABLE points ADD COLUMN order_id TEXT;
UPDATE points SET order_id = (SELECT e.order_id FROM events e WHERE e.id = points.event_id);
CREATE INDEX points_of_order ON points (shop, order_id, at) WHERE order_id IS NOT NULL;
CREATE INDEX points_of_customer ON points (shop, customer_id, at);

-- What a timeline looks for, by order and by customer.
CREATE INDEX coupons_of_order ON coupons (shop, order_id, issued_at) WHERE order_id IS NOT NULL;
CREATE INDEX coupons_of_customer ON coupons (shop, customer_id, issued_at) WHERE customer_id IS NOT NULL;
CREATE INDEX messages_told_of_order ON messages (shop, order_id, updated_at);
CREATE INDEX messages_told_of_customer ON messages (shop, customer_id, updated_at);
CREATE INDEX timers_of_order ON timers (shop, order_id) WHERE order_id IS NOT NULL;
CREATE INDEX timers_of_customer ON timers (shop, customer_id) WHERE customer_id IS NOT NULL;
