-- name: series_at_another_label
select distinct _file, _sheet, _row, section, item, cdid
from $batch
where
    trim(cdid) in (
        'EAI5',
        'EAI7',
        'EAI8',
        'EAJ2',
        'FJFN',
        'FJFO',
        'FJFP',
        'FJFQ',
        'FJPM',
        'FJRG',
        'FJTC',
        'MSH4',
        'MSH5',
        'MSH6',
        'MUT6'
    )
    and (coalesce(trim(section), ''), coalesce(trim(item), ''), trim(cdid)) not in (
        ('Exports (Credits)', 'Franchise and trademarks', 'EAI5'),
        ('Exports (Credits)', 'Outcomes of research and development', 'EAI7'),
        ('Exports (Credits)', 'Distribution of computer software', 'FJFN'),
        ('Exports (Credits)', 'Distribution of audio-visual and related products', 'FJFO'),
        ('Exports (Credits)', 'Total', 'FJPM'),
        ('Imports (Debits)', 'Franchise and trademarks', 'EAI8'),
        ('Imports (Debits)', 'Outcomes of research and development', 'EAJ2'),
        ('Imports (Debits)', 'Distribution of computer software', 'FJFP'),
        ('Imports (Debits)', 'Distribution of audio-visual and related products', 'FJFQ'),
        ('Imports (Debits)', 'Total', 'FJRG'),
        ('Balances', 'Franchise and trademarks', 'MSH4'),
        ('Balances', 'Outcomes of research and development', 'MSH5'),
        ('Balances', 'Distribution of computer software', 'MUT6'),
        ('Balances', 'Distribution of audio-visual and related products', 'MSH6'),
        ('Balances', 'Total', 'FJTC')
    )
order by _row
;

-- name: figures_not_whole
select _file, _sheet, _row, _column, item, value
from $batch
where
    value is null
    or (
        regexp_full_match(trim(value), '-?[0-9]+([.][0-9]+)?')
        and not regexp_full_match(trim(value), '-?[0-9]{1,6}')
    )
    or (trim(item) = 'Total' and not regexp_matches(value, '[0-9]'))
;
