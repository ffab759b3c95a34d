"""What costs zero multiply-accumulates by convention, and what is merely unknown.

A count of 0 must be a decision, never an accident. An operator is therefore in one of three states:

1. it has a formula (`formulas.py`, or torch's registry): it is counted;
2. it is listed here: it does arithmetic or moves data, but no multiply-accumulates that the field counts;
3. neither: it goes to the list of what was *not counted*, and the total is labelled incomplete.

Zero by convention are: element-wise operators (anything torch itself tags as `pointwise`), reductions and
scans, normalisation, softmax, pooling, copies and layout changes, indexing and scattering, sorting and
searching, random numbers, losses, optimiser steps and communication. Bias additions are zero as well.
Their cost is memory traffic, and there they are counted.
"""

from __future__ import annotations

from enum import Enum

import torch

ZERO_BY_CONVENTION: dict[str, str] = {
    "element-wise, where torch lacks the tag": """
        abs _add_relu binary_cross_entropy_with_logits clamp complex _conj_copy copysign elu_backward eq
        floor_divide _fw_primal_copy gcd ge gelu glu glu_backward glu_backward_jvp glu_jvp gt
        hardshrink_backward hardsigmoid_backward hardswish hardswish_backward hardtanh_backward heaviside
        lcm le leaky_relu_backward linalg_cross log_sigmoid_backward log_sigmoid_forward lt masked_fill
        _masked_scale mish ne _neg_view_copy polar _prelu_kernel _prelu_kernel_backward rrelu_with_noise
        rrelu_with_noise_backward rrelu_with_noise_functional rsub softplus_backward softshrink_backward
        _thnn_fused_gru_cell _thnn_fused_gru_cell_backward _thnn_fused_lstm_cell
        _thnn_fused_lstm_cell_backward_impl threshold _transform_bias_rescale_qkv""",
    "reductions and scans": """
        all allclose amax amin _aminmax aminmax any argmax argmin count_nonzero cummax _cummax_helper
        cummin _cummin_helper cumprod cumsum dist equal hash_tensor _is_all_true _is_any_true kthvalue
        linalg__powsum linalg_vector_norm _logcumsumexp logcumsumexp logsumexp max mean median min mode
        nanmedian nansum native_norm _nested_sum_backward norm prod segment_reduce
        _segment_reduce_backward _sparse_csr_prod _sparse_csr_sum _sparse_sum _sparse_sum_backward std
        std_mean sum trace var var_mean""",
    "normalisation and softmax": """
        batch_norm_backward batch_norm_backward_elemt batch_norm_backward_reduce batch_norm_elemt
        batch_norm_gather_stats batch_norm_gather_stats_with_counts _batch_norm_no_update batch_norm_stats
        batch_norm_update_stats _batch_norm_with_update _batch_norm_with_update_functional
        cudnn_batch_norm cudnn_batch_norm_backward embedding_renorm _fused_rms_norm
        _fused_rms_norm_backward _log_softmax _log_softmax_backward_data _masked_softmax
        _masked_softmax_backward miopen_batch_norm miopen_batch_norm_backward native_batch_norm
        native_batch_norm_backward _native_batch_norm_legit _native_batch_norm_legit_functional
        _native_batch_norm_legit_no_training native_group_norm native_group_norm_backward
        native_layer_norm native_layer_norm_backward _nested_tensor_softmax_with_shape renorm
        _safe_softmax _softmax _softmax_backward_data _sparse_log_softmax
        _sparse_log_softmax_backward_data _sparse_softmax _sparse_softmax_backward_data
        _weight_norm_interface _weight_norm_interface_backward""",
    "pooling and nearest-neighbour resampling": """
        adaptive_avg_pool1d _adaptive_avg_pool2d adaptive_avg_pool2d _adaptive_avg_pool2d_backward
        _adaptive_avg_pool3d adaptive_avg_pool3d _adaptive_avg_pool3d_backward
        adaptive_avg_pool3d_backward adaptive_max_pool2d adaptive_max_pool2d_backward adaptive_max_pool3d
        adaptive_max_pool3d_backward avg_pool1d avg_pool2d avg_pool2d_backward avg_pool3d
        avg_pool3d_backward fractional_max_pool2d fractional_max_pool2d_backward fractional_max_pool3d
        fractional_max_pool3d_backward max_pool2d_backward max_pool2d_with_indices
        max_pool2d_with_indices_backward max_pool3d_with_indices max_pool3d_with_indices_backward
        max_unpool2d max_unpool3d mkldnn_max_pool2d mkldnn_max_pool3d upsample_nearest1d
        upsample_nearest1d_backward upsample_nearest2d upsample_nearest2d_backward upsample_nearest3d
        upsample_nearest3d_backward _upsample_nearest_exact1d _upsample_nearest_exact1d_backward
        _upsample_nearest_exact2d _upsample_nearest_exact2d_backward _upsample_nearest_exact3d
        _upsample_nearest_exact3d_backward""",
    "copies, layout and shape": """
        affine_grid_generator_backward alias_copy as_strided as_strided_copy as_strided_scatter block_diag
        cat channel_shuffle _chunk_cat clone _coalesce _coalesced col2im constant_pad_nd
        _convert_indices_from_coo_to_csr _convert_indices_from_csr_to_coo copy _copy_from
        _copy_from_and_resize copy_sparse_to_sparse detach detach_copy diag_embed diagonal_backward
        diagonal_copy diagonal_scatter expand_copy flip im2col _jagged_to_padded_dense_forward _lazy_clone
        lift lift_fresh lift_fresh_copy lu_unpack _make_dual_copy _mkldnn_reshape _mkldnn_transpose
        narrow_copy _nested_from_padded _nested_from_padded_and_nested_example _nested_from_padded_tensor
        _nested_get_values_copy _nested_select_backward _nested_tensor_from_mask
        _nested_tensor_from_mask_left_aligned _nested_tensor_from_tensor_list
        _nested_view_from_buffer_copy _nested_view_from_jagged_copy _pack_padded_sequence
        _padded_dense_to_jagged_forward permute_copy _pin_memory pixel_shuffle pixel_unshuffle
        record_stream reflection_pad1d reflection_pad1d_backward reflection_pad2d
        reflection_pad2d_backward reflection_pad3d reflection_pad3d_backward repeat repeat_interleave
        replication_pad1d replication_pad1d_backward replication_pad2d replication_pad2d_backward
        replication_pad3d replication_pad3d_backward _reshape_alias _reshape_alias_copy _reshape_copy
        resize resize_as roll rot90 select_backward select_copy select_scatter set slice_backward
        slice_copy slice_scatter sparse_mask _sparse_mask_projection sparse_resize sparse_resize_and_clear
        _spdiags split_copy split_with_sizes_copy squeeze squeeze_copy _stack stack swapaxes t t_copy
        _to_copy _to_dense to_mkldnn to_padded_tensor _to_sparse _to_sparse_bsc _to_sparse_bsr
        _to_sparse_csc _to_sparse_csr transpose transpose_copy tril triu unbind_copy unfold_backward
        unfold_copy unsafe_chunk unsafe_split unsafe_split_with_sizes _unsafe_view unsqueeze
        unsqueeze_copy _values_copy values_copy view_as_complex_copy view_as_real_copy view_copy""",
    "creation": """
        arange bartlett_window blackman_window _efficientzerotensor empty empty_like empty_permuted
        empty_strided eye fft_fftfreq fft_rfftfreq fill from_file full full_like hamming_window
        hann_window kaiser_window linspace logspace new_empty new_empty_strided new_full new_ones
        new_zeros _new_zeros_with_same_feature_meta ones ones_like range scalar_tensor
        sparse_compressed_tensor _sparse_compressed_tensor_with_dims sparse_coo_tensor
        _sparse_coo_tensor_with_dims _sparse_coo_tensor_with_dims_and_tensors tril_indices triu_indices
        zero zeros zeros_like""",
    "indexing and scattering": """
        embedding embedding_dense_backward gather index index_add index_copy index_fill index_put
        _index_put_impl index_reduce index_select masked_scatter masked_scatter_backward masked_select
        nonzero nonzero_static put scatter scatter_add scatter_reduce take _unsafe_index _unsafe_index_put
        _unsafe_masked_index _unsafe_masked_index_put_accumulate where""",
    "sorting, searching and counting": """
        bincount bucketize histc histogram _histogramdd_bin_edges _histogramdd_from_bin_cts
        _histogramdd_from_bin_tensors isin searchsorted sort topk _unique _unique2 unique_consecutive
        unique_dim unique_dim_consecutive""",
    "random numbers": """
        bernoulli binomial cauchy _cudnn_init_dropout_state _dirichlet_grad exponential
        _fill_mem_eff_dropout_mask_ _fused_dropout geometric log_normal multinomial native_dropout normal
        normal_functional poisson rand rand_like randint randint_like randn randn_like random randperm
        _sample_dirichlet _standard_gamma _standard_gamma_grad uniform""",
    "losses": """
        binary_cross_entropy binary_cross_entropy_backward _ctc_loss _ctc_loss_backward _cudnn_ctc_loss
        huber_loss huber_loss_backward mse_loss mse_loss_backward multi_margin_loss
        multi_margin_loss_backward multilabel_margin_loss_backward multilabel_margin_loss_forward
        nll_loss2d_backward nll_loss2d_forward nll_loss_backward nll_loss_forward smooth_l1_loss
        smooth_l1_loss_backward soft_margin_loss soft_margin_loss_backward""",
    "quantisation": """
        _choose_qparams_per_tensor dequantize _fake_quantize_learnable_per_channel_affine
        _fake_quantize_learnable_per_channel_affine_backward _fake_quantize_learnable_per_tensor_affine
        _fake_quantize_learnable_per_tensor_affine_backward fake_quantize_per_channel_affine_cachemask
        fake_quantize_per_tensor_affine_cachemask
        _fake_quantize_per_tensor_affine_cachemask_tensor_qparams _fused_moving_avg_obs_fq_helper
        _fused_moving_avg_obs_fq_helper_functional int_repr quantize_per_channel quantize_per_tensor
        quantize_per_tensor_dynamic""",
    "optimiser steps": """
        _amp_foreach_non_finite_check_and_unscale _amp_update_scale _fused_adagrad _fused_adam
        _fused_adamw _fused_sgd""",
    "queries that read no data or a single number": """
        _assert_async _assert_scalar _assert_tensor_metadata dense_dim dim _dimI _dimV
        _functional_assert_async _functional_assert_scalar _fused_sdp_choice _has_same_storage_numel
        _indices is_coalesced is_contiguous is_non_overlapping_and_dense is_pinned is_same_size is_set_to
        is_strides_like_format layout _linalg_check_errors _local_scalar_dense
        _nested_compute_contiguous_strides_offsets _nested_get_jagged_dummy _nested_get_lengths
        _nested_get_max_seqlen _nested_get_min_seqlen _nested_get_offsets _nested_get_ragged_idx
        _nested_tensor_size _nested_tensor_storage_offsets _nested_tensor_strides _nnz numel _print size
        sparse_dim storage_offset stride sym_constrain_range sym_constrain_range_for_size
        sym_is_contiguous sym_numel sym_size sym_storage_offset sym_stride _use_cudnn_ctc_loss
        _validate_compressed_sparse_indices _values""",
}

_ZERO = {name for names in ZERO_BY_CONVENTION.values() for name in names.split()}
_ZERO_NAMESPACES = {
    "prim",
    "c10d",
    "_c10d_functional",
    "c10d_functional",
    "profiler",
}  # queries, communication
_COSTLY_PRIMS = {"svd", "fft_r2c", "fft_c2c", "fft_c2r"}


class State(Enum):
    """What the counter does with an operator that has no formula."""

    ZERO = "zero by convention"
    COMPOSITE = "made of other operators"
    UNKNOWN = "not counted"


def state_of(op: torch._ops.OpOverload) -> State:
    """Class of an operator without a formula; see the module's docstring."""
    if op.namespace in _ZERO_NAMESPACES:
        return State.ZERO
    if op.namespace == "prims":  # torch's decompositions end in these; none multiplies matrices
        return State.UNKNOWN if op._schema.name.split("::")[1] in _COSTLY_PRIMS else State.ZERO
    if torch._C._dispatch_has_kernel_for_dispatch_key(op.name(), "CompositeImplicitAutograd"):
        return State.COMPOSITE
    if torch.Tag.pointwise in op.tags or _only_views(op):
        return State.ZERO
    name = op._schema.name.split("::")[1]
    listed = name in _ZERO or name.removesuffix("_") in _ZERO
    foreach = name.startswith("_foreach_") and not name.startswith("_foreach_mm")
    return State.ZERO if op.namespace == "aten" and (listed or foreach) else State.UNKNOWN


def _only_views(op: torch._ops.OpOverload) -> bool:
    returns = op._schema.returns
    return bool(returns) and all(r.alias_info is not None and not r.alias_info.is_write for r in returns)
