-- A use is given back by the cancellation of its order.
ALTER TABLE coupon_uses ADD COLUMN customer_id TEXT;
ALTER TABLE coupon_uses ADD COLUMN over_limit BIGINT NOT NULL DEFAULT 0;
ALTER TABLE coupon_uses ADD COLUMN released_at BIGINT;
CREATE INDEX coupon_uses_of_order ON coupon_uses (shop, order_id);
CREATE INDEX coupon_uses_of_customer ON coupon_uses (shop, customer_id, at);

-- A cart at its checkout holds one use until then. ending: `used`, `released`; NULL: held, or over by time.
CREATE TABLE coupon_reservations (
    shop TEXT NOT NULL,
    code TEXT NOT NULL,
    cart_id TEXT NOT NULL,
    reserved_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    customer_id TEXT,
    order_id TEXT,
    ending TEXT,
    ended_at BIGINT,
    PRIMARY KEY (shop, code, cart_id, reserved_at)
);
CREATE INDEX coupon_reservations_of_cart ON coupon_reservations (shop, cart_id);
CREATE INDEX coupon_reservations_of_order ON coupon_reservations (shop, order_id) WHERE order_id IS NOT NULL;
CREATE INDEX coupon_reservations_of_customer ON coupon_reservations (shop, customer_id, reserved_at)
    WHERE customer_id IS NOT NULL;
CREATE INDEX coupon_reservations_open ON coupon_reservations (shop, code, expires_at) WHERE ending IS NULL;
