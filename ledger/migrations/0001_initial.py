"""The ledger's tables: plain SQL, so that the database holds every rule by itself."""

import django.db.models.deletion
from django.db import migrations, models

from common.sql import run_sql


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('organisations', '0001_initial'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                run_sql("ledger", "line_v1"),
                run_sql("ledger", "tables_v1"),
                run_sql("ledger", "guards_v1"),
            ],
            state_operations=[
                migrations.CreateModel(
                    name='BookListing',
                    fields=[
                        ('id', models.TextField(primary_key=True, serialize=False)),
                        ('book', models.TextField()),
                        ('size', models.BigIntegerField()),
                        ('head_hash', models.TextField(null=True)),
                    ],
                    options={
                        'verbose_name': 'book',
                        'db_table': 'ledger_booklisting',
                        'managed': False,
                    },
                ),
                migrations.CreateModel(
                    name='EntryListing',
                    fields=[
                        ('book', models.TextField()),
                        ('sequence', models.BigIntegerField()),
                        ('entry_id', models.TextField()),
                        ('operation', models.TextField()),
                        ('amount', models.BigIntegerField()),
                        ('currency', models.TextField()),
                        ('debit', models.TextField()),
                        ('credit', models.TextField()),
                        ('nonce', models.TextField()),
                        ('metadata', models.JSONField()),
                        ('occurred_at', models.DateTimeField()),
                        ('recorded_at', models.DateTimeField()),
                        ('prev_entry_hash', models.TextField(null=True)),
                        ('entry_hash', models.TextField()),
                        ('line', models.TextField()),
                        ('id', models.TextField(primary_key=True, serialize=False)),
                    ],
                    options={
                        'verbose_name': 'entry',
                        'verbose_name_plural': 'entries',
                        'db_table': 'ledger_entrylisting',
                        'managed': False,
                    },
                ),
                migrations.CreateModel(
                    name='Account',
                    fields=[
                        ('pk', models.CompositePrimaryKey('organisation_id', 'book', 'currency', 'name', blank=True, editable=False, primary_key=True, serialize=False)),
                        ('book', models.TextField()),
                        ('currency', models.TextField()),
                        ('name', models.TextField()),
                        ('kind', models.TextField(choices=[('place', 'Place'), ('purpose', 'Purpose'), ('owner', 'Owner'), ('other', 'Other'), ('genesis', 'Genesis')], editable=False)),
                        ('debits', models.BigIntegerField(default=0, editable=False)),
                        ('credits', models.BigIntegerField(default=0, editable=False)),
                        ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='accounts', to='organisations.organisation')),
                    ],
                ),
                migrations.CreateModel(
                    name='Book',
                    fields=[
                        ('pk', models.CompositePrimaryKey('organisation_id', 'book', blank=True, editable=False, primary_key=True, serialize=False)),
                        ('book', models.TextField()),
                        ('size', models.BigIntegerField(default=0, editable=False)),
                        ('head_hash', models.TextField(editable=False, null=True)),
                        ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='books', to='organisations.organisation')),
                    ],
                ),
                migrations.CreateModel(
                    name='Entry',
                    fields=[
                        ('book', models.TextField()),
                        ('sequence', models.BigIntegerField()),
                        ('entry_id', models.TextField()),
                        ('operation', models.TextField()),
                        ('amount', models.BigIntegerField()),
                        ('currency', models.TextField()),
                        ('debit', models.TextField()),
                        ('credit', models.TextField()),
                        ('nonce', models.TextField()),
                        ('metadata', models.JSONField()),
                        ('occurred_at', models.DateTimeField()),
                        ('recorded_at', models.DateTimeField()),
                        ('prev_entry_hash', models.TextField(null=True)),
                        ('entry_hash', models.TextField()),
                        ('line', models.TextField()),
                        ('pk', models.CompositePrimaryKey('organisation_id', 'book', 'sequence', blank=True, editable=False, primary_key=True, serialize=False)),
                        ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='organisations.organisation')),
                    ],
                    options={
                        'abstract': False,
                    },
                ),
                migrations.CreateModel(
                    name='SigningKey',
                    fields=[
                        ('pk', models.CompositePrimaryKey('organisation_id', 'vkey', blank=True, editable=False, primary_key=True, serialize=False)),
                        ('vkey', models.TextField()),
                        ('algorithm', models.TextField(default='ed25519')),
                        ('encrypted_seed', models.BinaryField()),
                        ('created_at', models.DateTimeField()),
                        ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='organisations.organisation')),
                    ],
                ),
            ],
        ),
    ]
