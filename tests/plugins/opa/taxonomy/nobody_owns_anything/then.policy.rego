# Managed by nthlayer-sync: change the catalog or the settings, not this file.

# METADATA
# title: Tags of cloud resources
# description: >-
#   Every resource that a Terraform plan creates or changes, and that can bear tags, must bear those of the taxonomy.
#   Input: `terraform show -json plan`. Query: `data.nthlayer.taxonomy.deny`, a set of messages, empty when all is well.
package nthlayer.taxonomy

import rego.v1

deny contains message if {
	some message in refused(input.resource_changes)
}

# The messages about a plan's changes.
refused(changes) := missing | unknown if {
	missing := {message |
		some resource in taggable(changes)
		some key in required
		object.get(resource.tags, key, "") == ""
		message := sprintf("%s: tag %s is missing", [resource.address, key])
	}
	unknown := {message |
		some resource in taggable(changes)
		some key in object.keys(allowed)
		value := object.get(resource.tags, key, "")
		value != ""
		not value in allowed[key]
		message := sprintf("%s: tag %s may not have the value %s", [resource.address, key, value])
	}
}

# What is created or changed and can bear tags: it has an attribute `tags`, set or not.
taggable(changes) := {resource |
	some planned in changes
	some action in planned.change.actions
	action in {"create", "update"}
	after := planned.change.after
	"tags" in object.keys(after)
	resource := {
		"address": planned.address,
		"tags": object.union(tags_at(after, "tags_all"), tags_at(after, "tags")),
	}
}

# Tags that the provider adds by itself stand in `tags_all` only; either may be null.
tags_at(after, attribute) := tags if {
	tags := object.get(after, attribute, {})
	is_object(tags)
} else := {}

required := {"environment", "service", "team", "tier"}

allowed := {
	"environment": {
		"development",
		"production",
		"staging",
	},
	"team": set(),
	"tier": {
		"1",
	},
}
