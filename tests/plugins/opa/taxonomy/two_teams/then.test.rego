# Managed by nthlayer-sync: change the catalog or the settings, not this file.

package nthlayer.taxonomy_test

import data.nthlayer.taxonomy
import rego.v1

test_tagged_resource_passes if {
	count(denied("create", {"tags": good})) == 0
}

test_tags_of_the_provider_count if {
	count(denied("create", {"tags": null, "tags_all": good})) == 0
}

test_untagged_resource_is_refused if {
	count(denied("update", {"tags": null})) == count(taxonomy.required)
}

test_each_missing_key_is_refused if {
	every key in taxonomy.required {
		count(denied("create", {"tags": object.remove(good, [key])})) == 1
	}
}

test_unknown_value_is_refused if {
	every key in object.keys(taxonomy.allowed) {
		tags := object.union(good, {key: "a value that nobody allowed"})
		count(denied("create", {"tags": tags})) == 1
	}
}

test_what_is_not_changed_passes if {
	count(denied("no-op", {"tags": null})) == 0
	count(denied("delete", null)) == 0
}

test_what_cannot_bear_tags_passes if {
	count(denied("create", {"name": "attachment"})) == 0
}

# What the policy says of a plan with one change.
denied(action, after) := taxonomy.refused([{
	"address": "aws_s3_bucket.example",
	"change": {"actions": [action], "after": after},
}])

good := {
	"environment": "development",
	"service": "any",
	"team": "payments-team",
	"tier": "1",
}
