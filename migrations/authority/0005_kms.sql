-- Rotation of a key's material, and grants to a service for one of its resources.

ALTER TABLE keys
    -- Days between automatic rotations and when the next is due; both null while rotation is off.
    ADD COLUMN rotation_days    int CHECK (rotation_days BETWEEN 90 AND 2560),
    ADD COLUMN next_rotation_at timestamptz,
    ADD CHECK ((rotation_days IS NULL) = (next_rotation_at IS NULL));

CREATE INDEX keys_due_for_rotation ON keys (next_rotation_at)
    WHERE next_rotation_at IS NOT NULL AND state = 'Enabled';

ALTER TABLE key_materials
    -- When and why this material took over; both null for a key's first.
    ADD COLUMN rotated_at       timestamptz,
    ADD COLUMN rotation_type    text CHECK (rotation_type IN ('AUTOMATIC', 'ON_DEMAND')),
    ADD CHECK ((rotated_at IS NULL) = (rotation_type IS NULL));

-- A grantee or retiring principal is an ARN or the name of a service. A grant to a service names the resource that the
-- service must act for, and somebody who may retire it.
ALTER TABLE key_grants
    ADD COLUMN source_arn text CHECK (char_length(source_arn) BETWEEN 20 AND 512),
    ADD CHECK (grantee LIKE 'arn:%' OR (source_arn IS NOT NULL AND retiring IS NOT NULL));
