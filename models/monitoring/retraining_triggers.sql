with

triggers as (

    {{ json_list_rows(
        ref('model_runs'),
        'triggers',
        kept=['model_name', 'decision_number', 'decided_at', 'decision'],
        fields={
            'name': 'varchar', 'is_fired': 'boolean', 'value': 'double', 'threshold': 'double', 'message': 'varchar',
        },
    ) }}

)

select
    model_name,
    decision_number,
    decided_at,
    decision,
    name as trigger_name,
    is_fired,
    value,
    threshold,
    message,
    -- A build that keeps the champion though a trigger fired has trained for it before.
    is_fired and decision = 'kept' as was_answered
from triggers
