/**
 * @param {import('knex').Knex} knex
 */
exports.up = async function up(knex) {
  await knex.schema.createTable('nthlayer_annotations', table => {
    table.comment('What the NthLayer daemon wants to stand on each entity');
    table.string('entity_ref', 255).primary();
    table.text('content', 'longtext').notNullable();
  });
  await knex.schema.createTable('nthlayer_snapshot', table => {
    table.comment('Which state of the daemon that is; one row');
    table.integer('id').primary();
    table.text('etag').notNullable();
  });
  await knex.schema.createTable('nthlayer_told', table => {
    table.comment('Entities as the NthLayer daemon was last told of them');
    table.string('entity_ref', 255).primary();
    table.string('uid', 255).notNullable();
    table.string('etag', 255).notNullable();
  });
};

/**
 * @param {import('knex').Knex} knex
 */
exports.down = async function down(knex) {
  await knex.schema.dropTable('nthlayer_told');
  await knex.schema.dropTable('nthlayer_snapshot');
  await knex.schema.dropTable('nthlayer_annotations');
};
